// The configuration in force, each value with the line that set it; and what the schedules come to.
import { useState } from 'preact/hooks';
import { act } from '../act';
import { post } from '../api';
import { number, span } from '../format';
import { useLive } from '../live';
import { type Column, Empty, Facts, Panel, Table, Trouble } from '../parts';

interface Key { key: string; value: string; origin: string }
interface Plan { lifetime: number; attempts: number[]; more: boolean; last_is_added: boolean; longest_gap: number; longest_gap_from: number; dead_air: number; unused: number; warning: boolean }
interface Schedule { of: string; messages: Plan; null_sender: Plan; probe_waits: number[] }
interface Change { key: string; now: string | null; then: string | null; origin: string | null }
interface Comparison { changed: number; expiring: number; recipients: number; keys: Change[] }

const COLUMNS: Column<Key>[] = [
	{ title: 'Key', cell: (k) => <code>{k.key}</code> },
	{ title: 'Value', cell: (k) => <code class={k.origin === 'default' ? 'dim' : 'strong'}>{k.value || '–'}</code> },
	{ title: 'Set by', cell: (k) => <span class="dim">{k.origin}</span> },
];

// The attempts on a line whose length is the lifetime. The root lets the first hours, where most attempts are, be seen.
function PlanChart({ plan, title }: { plan: Plan; title: string }) {
	const width = 1000;
	const x = (seconds: number) => Math.sqrt(seconds / plan.lifetime) * width;
	const marks = [60, 600, 3600, 6 * 3600, 86400, 3 * 86400, 5 * 86400].filter((mark) => mark < plan.lifetime * 0.85);

	return <div class="plan">
		<p><b>{title}</b> <span class="dim">lifetime {span(plan.lifetime)}, {number(plan.attempts.length)}{plan.more && ' and more'} attempts,
			longest gap {span(plan.longest_gap)}</span></p>
		<svg viewBox={`-6 0 ${width + 12} 34`} preserveAspectRatio="none" role="img" aria-label={`${plan.attempts.length} attempts within ${span(plan.lifetime)}`}>
			<line x1="0" x2={width} y1="17" y2="17" class="axis" />
			{marks.map((mark) => <line key={mark} x1={x(mark)} x2={x(mark)} y1="11" y2="23" class="axis" />)}
			{plan.attempts.map((at) => <line key={at} x1={x(at)} x2={x(at)} y1="6" y2="28" class="attempt" />)}
			<line x1={width} x2={width} y1="2" y2="32" class="end" />
		</svg>
		<div class="scale">{marks.map((mark) => <span key={mark} style={{ left: `${(x(mark) + 6) / (width + 12) * 100}%` }}>{span(mark)}</span>)}
			<span style={{ left: '100%' }} class="last">{span(plan.lifetime)}</span></div>
		{plan.warning && <p class="warning">Behind the schedule's own last attempt lie {span(plan.unused)} of the lifetime.</p>}
	</div>;
}

function Schedules() {
	const schedules = useLive<{ schedules: Schedule[] }>('/v1/schedules').value?.schedules ?? [];

	return <Panel title="Schedules" wide aside={<span class="dim">when a message that is put off is tried again</span>}>
		{schedules.map((schedule) => <section key={schedule.of} class="pad">
			<PlanChart plan={schedule.messages} title={schedule.of} />
			<p class="dim">A site that is down is probed after {schedule.probe_waits.slice(0, 6).map(span).join(', ')}, then every {span(schedule.probe_waits[schedule.probe_waits.length - 1])}.</p>
		</section>)}
	</Panel>;
}

const CHANGES: Column<Change>[] = [
	{ title: 'Key', cell: (c) => <code>{c.key}</code> },
	{ title: 'Now', cell: (c) => <code>{c.now ?? 'not there'}</code> },
	{ title: 'Then', cell: (c) => <code class="strong">{c.then ?? 'not there'}</code> },
	{ title: 'Set by', cell: (c) => <span class="dim">{c.origin}</span> },
];

function File() {
	const [comparison, setComparison] = useState<Comparison | null>(null);
	const [problem, setProblem] = useState('');
	const compare = async () => {
		try {
			setComparison(await post<Comparison>('/v1/config/compare'));
			setProblem('');
		} catch (error) {
			setProblem((error as Error).message);
		}
	};
	const reload = () => act({ title: 'Put the file in force', verb: 'Reload', path: '/v1/config/reload', body: () => ({}),
		note: comparison && comparison.expiring > 0 ? `${number(comparison.expiring)} recipients would expire at once.` : 'What is queued follows the new limits at once.',
		is_dangerous: !!comparison && comparison.expiring > 0 });

	return <Panel title="The file on disk" wide aside={<span class="buttons"><button type="button" onClick={() => void compare()}>Compare</button>
		<button type="button" class="main" disabled={!comparison || comparison.keys.length === 0} onClick={reload}>Reload</button></span>}>
		{problem && <pre class="trouble">{problem}</pre>}
		{!comparison ? <Empty>Compare shows what the file as it is now would change, before it is in force.</Empty>
			: comparison.keys.length === 0 ? <Empty>The file says what is in force.</Empty> : <>
				<Facts facts={[['Deadlines', `${number(comparison.changed)} recipients get another`], ['Expire at once', number(comparison.expiring)]]} />
				<Table label="Changes" columns={CHANGES} rows={comparison.keys} keyOf={(c) => c.key} /></>}
	</Panel>;
}

export function Config() {
	const { value, problem } = useLive<{ keys: Key[] }>('/v1/config');
	const [text, setText] = useState('');
	const [isOwn, setOwn] = useState(true);
	const rows = (value?.keys ?? []).filter((k) => (!isOwn || k.origin !== 'default') && (k.key + k.value).toLowerCase().includes(text.toLowerCase()));

	return <>
		<h1>Config</h1>
		<Trouble problem={problem} />
		<Schedules />
		<File />
		<Panel title={`${number(rows.length)} values in force`} wide aside={<span class="buttons">
			<label class="tick"><input type="checkbox" checked={isOwn} onChange={(event) => setOwn(event.currentTarget.checked)} />not defaults</label>
			<input type="search" placeholder="Filter" aria-label="Filter" value={text} onInput={(event) => setText(event.currentTarget.value)} /></span>}>
			{value && rows.length === 0 ? <Empty>No key of that name.</Empty> : <Table label="Configuration" columns={COLUMNS} rows={rows} keyOf={(k) => k.key} />}
		</Panel>
	</>;
}
