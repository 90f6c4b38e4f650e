// One message: where its time went, every attempt, what happens next, and the handles.
import { useState } from 'preact/hooks';
import { command, extend } from '../act';
import { type Attempt, get, type Message, type Recipient } from '../api';
import { bytes, date, number, plural, span, words } from '../format';
import { useLive } from '../live';
import { Ago, Badge, Bar, Cause, Deadline, Empty, Facts, Panel, Trouble, Until } from '../parts';
import { href } from '../route';

function Ledger({ ledger }: { ledger: Record<string, number> }) {
	const parts = Object.entries(ledger).sort((a, b) => b[1] - a[1]);

	if (parts.length === 0)
		return null;
	return <div class="ledger">
		<Bar parts={ledger} />
		<p class="list">{parts.map(([cause, seconds]) => <span key={cause}><Cause name={cause} /> <b>{span(seconds)}</b></span>)}</p>
	</div>;
}

function RecipientPanel({ recipient }: { recipient: Recipient }) {
	return <Panel title={recipient.address ?? `recipient ${recipient.index + 1}`} aside={<Badge name={recipient.state} />}>
		<Ledger ledger={recipient.ledger} />
		<Facts facts={[
			['Destination', <a href={href('destinations', recipient.destination)}>{recipient.destination}</a>],
			['Site', recipient.site],
			['Waits because', recipient.cause === 'none' ? '' : <Cause name={recipient.cause} />],
			['Attempts', number(recipient.attempts)],
			['Next try', recipient.next ? <Until time={recipient.next} /> : recipient.cause === 'none' ? '' : 'when its site is back, or its turn comes'],
			['Deadline', recipient.deadline && <><Deadline time={recipient.deadline} /> <span class="dim">({date(recipient.deadline)})</span></>],
			['Delay notice', recipient.notified && 'sent'],
		]} />
	</Panel>;
}

// The code that says most: the enhanced one, unless there is none.
function codeOf(attempt: Attempt): string {
	return attempt.code > 0 && attempt.status && !attempt.status.endsWith('.0.0') ? attempt.status : attempt.code > 0 ? String(attempt.code) : '';
}

function AttemptItem({ attempt, message }: { attempt: Attempt; message: Message }) {
	const recipient = message.recipients.find((r) => r.index === attempt.index);
	const code = codeOf(attempt);

	return <li class={attempt.result === 'delivered' ? 'good' : attempt.result === 'failed' ? 'bad' : 'warn'}>
		<header>
			<b>{words(attempt.result)}</b>
			{attempt.cause !== 'none' && <Cause name={attempt.cause} />}
			{code && <a href={href('codes', code)}>{code}</a>}
			<span class="dim"><Ago time={attempt.at} /> · {date(attempt.at)} · {words(attempt.phase)} · {(attempt.duration_ms / 1000).toFixed(1)} s</span>
		</header>
		<p class="dim">{message.recipients.length > 1 && `${recipient?.address ?? attempt.index}: `}
			{attempt.host || 'no host'}{attempt.address && ` [${attempt.address}]`}{attempt.tls && `, ${attempt.tls}${attempt.verified ? ' verified' : ''}`}
			{attempt.duplicate_possible && ', may have arrived all the same'}</p>
		{attempt.text && <pre>{attempt.text}</pre>}
	</li>;
}

function Timeline({ message }: { message: Message }) {
	const attempts = [...(message.attempts ?? [])].reverse();
	const leftOut = message.attempts_left_out ?? 0;

	return <Panel title={plural(attempts.length + leftOut, 'attempt')} wide>
		<ol class="timeline">
			{attempts.map((attempt, i) => <AttemptItem key={attempts.length - i} attempt={attempt} message={message} />)}
			{leftOut > 0 && <li class="dim">{plural(leftOut, 'attempt')} in between left out</li>}
			<li class="dim"><header><b>accepted</b> <span><Ago time={message.arrived} /> · {date(message.arrived)}{message.client && ` · from ${message.client}`}</span></header></li>
		</ol>
	</Panel>;
}

interface Notice { wanted: boolean; to: string; subject: string; text: string }

// Asked for when it is looked at: the relay makes it anew each time.
function NoticePanel({ id }: { id: string }) {
	const [notice, setNotice] = useState<Notice | null>(null);
	const [problem, setProblem] = useState('');
	const show = async () => {
		try {
			setNotice(await get<Notice>(`/v1/messages/${encodeURIComponent(id)}/notice`));
			setProblem('');
		} catch (error) {
			setProblem((error as Error).message);
		}
	};

	return <Panel title="The delay notice as the sender would see it now" wide
		aside={<button type="button" onClick={() => void show()}>{notice ? 'Renew' : 'Show'}</button>}>
		{problem && <p class="trouble">{problem}</p>}
		{notice && !notice.wanted && <Empty>The sender gets none: the null sender, automatic mail, or not wanted (NOTIFY).</Empty>}
		{notice?.wanted && <div class="letter">
			<Facts facts={[['To', notice.to], ['Subject', notice.subject]]} />
			<pre>{notice.text}</pre>
		</div>}
	</Panel>;
}

function Buttons({ id }: { id: string }) {
	const what = { id };

	return <p class="lead">
		<button type="button" class="main" onClick={() => command('retry', what, '')}>Retry</button>
		<button type="button" onClick={() => extend(what, '')}>Extend</button>
		<button type="button" onClick={() => command('hold', what, '')}>Hold</button>
		<button type="button" onClick={() => command('release', what, '')}>Release</button>
		<button type="button" onClick={() => command('cancel', what, '')}>Cancel</button>
		<button type="button" onClick={() => command('expire', what, '')}>Expire</button>
	</p>;
}

export function OneMessage({ id }: { id: string }) {
	const { value, problem } = useLive<Message>(`/v1/messages/${encodeURIComponent(id)}`);

	return <>
		<nav class="crumbs"><a href={href('messages')}>Messages</a></nav>
		<h1>Message <code>{id}</code></h1>
		{problem?.status === 404 ? <p class="warning">It is not in the queue any more: delivered, failed, or in the <a href={href('vault')}>vault</a>.</p>
			: <Trouble problem={problem} />}
		{value && problem?.status !== 404 && <>
			<Buttons id={id} />
			<div class="columns"><Panel title="Message">
				<Facts facts={[
					['Subject', value.subject],
					['From', value.sender || (value.notice ? 'null sender: a notice of ours' : 'null sender')],
					['Accepted', <><Ago time={value.arrived} /> <span class="dim">({date(value.arrived)})</span></>],
					['Size', bytes(value.size)],
				]} />
			</Panel>
			{value.recipients.map((recipient) => <RecipientPanel key={recipient.index} recipient={recipient} />)}</div>
			<Timeline message={value} />
			<NoticePanel key={id} id={id} />
		</>}
	</>;
}
