// What an operator does: said, counted beforehand by the relay itself where it can, confirmed, done.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { post, type Preview, Problem } from './api';
import { date, plural } from './format';
import { refresh } from './live';
import { Dialog } from './parts';

export interface Act {
	title: string; verb: string; path: string;
	body: (field: string) => object;
	field?: { label: string; value: string };
	is_previewed?: boolean;                     // the relay takes `dry_run`
	option?: { name: string; label: string };   // one more member of the body, true if ticked
	note?: string;
	is_dangerous?: boolean;
}

// How long a preview waits for the next key.
const PAUSE_MS = 250;

let show: (act: Act | null) => void = () => {};
let tell: (text: string) => void = () => {};

export function act(what: Act): void {
	show(what);
}

export function toast(text: string): void {
	tell(text);
}

function sayPreview(preview: Preview): ComponentChildren {
	const lines: string[] = [plural(preview.matched, 'message')];

	if (preview.recipients !== undefined)
		lines[0] += `, ${plural(preview.recipients, 'recipient')}`;
	if (preview.first_deadline)
		lines.push(`Deadlines from ${date(preview.first_deadline)} to ${date(preview.last_deadline)}`);
	return <>
		{lines.map((line) => <p key={line}>{line}</p>)}
		{(preview.expiring ?? 0) > 0 && <p class="warning">{plural(preview.expiring!, 'recipient')} would expire at once.</p>}
	</>;
}

function sayDone(what: Act, answer: Preview): string {
	const count = answer.sent ?? answer.matched;
	const rest = answer.not_back && answer.not_back.length > 0 ? `; not back: ${answer.not_back.join(', ')}` : '';

	return count === undefined ? `${what.verb}: done` : `${what.verb}: ${plural(count, 'message')}${rest}`;
}

function usePreview(what: Act, field: string): { preview?: Preview; problem?: string } {
	const [state, setState] = useState<{ preview?: Preview; problem?: string }>({});

	useEffect(() => {
		let isLate = false;
		const ask = async () => {
			try {
				const preview = await post(what.path, { ...what.body(field), dry_run: true });
				if (!isLate)
					setState({ preview });
			} catch (error) {
				if (!isLate)
					setState({ problem: String((error as Error).message) });
			}
		};
		const timer = what.is_previewed ? window.setTimeout(ask, PAUSE_MS) : undefined;

		return () => {
			isLate = true;
			window.clearTimeout(timer);
		};
	}, [what, field]);
	return state;
}

function ActDialog({ what, onClose }: { what: Act; onClose: () => void }) {
	const [field, setField] = useState(what.field?.value ?? '');
	const [isTicked, setTicked] = useState(false);
	const [refused, setRefused] = useState('');
	const [isBusy, setBusy] = useState(false);
	const { preview, problem } = usePreview(what, field);
	const isForced = (preview?.expiring ?? 0) > 0;
	const isReady = !isBusy && (!what.is_previewed || (!!preview && preview.matched > 0));

	const confirm = async (event: Event) => {
		event.preventDefault();
		setBusy(true);
		setRefused('');
		try {
			const extra = { ...(isForced ? { force: true } : {}), ...(isTicked ? { [what.option!.name]: true } : {}) };
			const answer = await post(what.path, { ...what.body(field), ...extra });

			toast(sayDone(what, answer));
			refresh();
			onClose();
		} catch (error) {
			setRefused(error instanceof Problem ? error.message : String(error));
			setBusy(false);
		}
	};

	return <Dialog title={what.title} onClose={onClose}>
		<form onSubmit={confirm}>
			{what.note && <p class="dim">{what.note}</p>}
			{what.field && <label class="field">{what.field.label}
				<input autofocus value={field} onInput={(event) => setField(event.currentTarget.value)} /></label>}
			{what.option && <label class="tick"><input type="checkbox" checked={isTicked}
				onChange={(event) => setTicked(event.currentTarget.checked)} />{what.option.label}</label>}
			{what.is_previewed && <div class="preview" role="status">
				{problem ? <p class="warning">{problem}</p> : preview ? sayPreview(preview) : <p class="dim">counting …</p>}</div>}
			{refused && <p class="trouble" role="alert">{refused}</p>}
			<footer>
				<button type="button" onClick={onClose}>Cancel</button>
				<button type="submit" class={what.is_dangerous || isForced ? 'danger' : 'main'} disabled={!isReady}>{what.verb}</button>
			</footer>
		</form>
	</Dialog>;
}

const TOAST_MS = 5000;

// Where dialogs and short news appear; once, at the end of the page.
export function ActHost() {
	const [what, setWhat] = useState<Act | null>(null);
	const [news, setNews] = useState('');

	show = setWhat;
	tell = setNews;
	useEffect(() => {
		const timer = news ? window.setTimeout(() => setNews(''), TOAST_MS) : undefined;
		return () => window.clearTimeout(timer);
	}, [news]);
	return <>
		{what && <ActDialog what={what} onClose={() => setWhat(null)} />}
		<div class={`toast ${news ? 'shown' : ''}`} role="status">{news}</div>
	</>;
}

// The acts themselves.

type Filter = Record<string, string>;
type Target = { id: string } | { filter: Filter };

const target = (what: Target, name: string) => 'id' in what ? `message ${what.id}` : name;

export function extend(what: Target, name: string): void {
	act({ title: `More time for ${target(what, name)}`, verb: 'Extend', path: '/v1/messages/deadlines', is_previewed: true,
		field: { label: 'By how much, such as 12h or 2d', value: '24h' },
		body: (amount) => ({ action: 'extend', amount, ...what }) });
}

export function undo(operation: number): void {
	act({ title: 'Take the change of deadlines back', verb: 'Undo', path: '/v1/operations/undo', body: () => ({ number: operation }),
		note: 'Who is still queued gets the deadline from before.' });
}

const VERBS: Record<string, [string, string]> = {
	retry: ['Retry', 'Each is tried now; the schedule stays as it is.'],
	hold: ['Hold', 'They stay in the queue and are not delivered until they are released.'],
	release: ['Release', 'What was held is delivered again.'],
	cancel: ['Cancel', 'They leave the queue for the vault. No notice is sent.'],
	expire: ['Expire', 'They are given up now. Senders get a failure notice.'],
};

export function command(name: string, what: Target, of: string): void {
	const [verb, note] = VERBS[name];

	act({ title: `${verb} ${target(what, of)}`, verb, note, path: '/v1/messages/actions', is_previewed: true,
		is_dangerous: name === 'cancel' || name === 'expire', body: () => ({ action: name, ...what }) });
}

export function suspend(domain: string): void {
	act({ title: `Suspend ${domain}`, verb: 'Suspend', path: `/v1/destinations/${encodeURIComponent(domain)}/suspend`,
		note: 'Mail for it waits in the queue until it is resumed. Deadlines go on.',
		field: { label: 'Reason, for whoever looks next', value: '' }, body: (reason) => ({ reason }) });
}

export async function resume(domain: string): Promise<void> {
	try {
		await post(`/v1/destinations/${encodeURIComponent(domain)}/resume`);
		toast(`${domain} is resumed`);
	} catch (error) {
		toast((error as Error).message);
	}
	refresh();
}

export function resend(what: object, of: string): void {
	act({ title: `Send ${of} again`, verb: 'Resend', path: '/v1/vault/resend', is_previewed: true, body: () => what,
		note: 'One message goes ahead to each destination. The others follow when it got through.',
		option: { name: 'force', label: 'Send all even if the first does not get through' } });
}

export function drop(what: object, of: string): void {
	act({ title: `Drop ${of}`, verb: 'Drop', path: '/v1/vault/drop', is_previewed: true, is_dangerous: true, body: () => what,
		note: 'They leave the vault for good.' });
}
