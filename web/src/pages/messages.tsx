// The queue: found by filter, acted on one by one or all at once.
import { useEffect, useRef, useState } from 'preact/hooks';
import { command, extend, undo } from '../act';
import { get, type Message, type Operation, type Problem, query, type Recipient } from '../api';
import { bytes, CAUSES, number, plural, span, words } from '../format';
import { useLive } from '../live';
import { Ago, Badge, Cause, type Column, Deadline, Empty, Panel, Table, Trouble, Until } from '../parts';
import { go, href, type Route } from '../route';

const PAGE = 50;
const OPERATIONS_SHOWN = 10;
const STATES = ['queued', 'delivering', 'held'];
const FIELDS: { name: string; label: string; hint: string }[] = [
	{ name: 'to', label: 'To', hint: 'part of an address' },
	{ name: 'from', label: 'From', hint: 'part of an address' },
	{ name: 'destination', label: 'Destination', hint: 'example.com' },
	{ name: 'site', label: 'Site', hint: 'mx.example.com' },
	{ name: 'older', label: 'Older than', hint: '6h' },
];

type Filter = Record<string, string>;
interface Answer { messages: Message[]; cursor?: string }

function say(filter: Filter): string {
	const parts = Object.entries(filter).map(([name, value]) => `${name} ${value}`);
	return parts.length > 0 ? `all mail with ${parts.join(', ')}` : 'all mail';
}

function FilterForm({ filter }: { filter: Filter }) {
	const [draft, setDraft] = useState(filter);
	const apply = (next: Filter) => go('messages', '', next);
	const choose = (name: string, value: string) => {
		const next = { ...draft, [name]: value };
		setDraft(next);
		apply(next);
	};
	const choice = (name: string, label: string, values: string[]) => <label class="field">{label}
		<select value={draft[name] ?? ''} onChange={(event) => choose(name, event.currentTarget.value)}>
			<option value="">any</option>
			{values.map((value) => <option key={value} value={value}>{words(value)}</option>)}
		</select></label>;

	useEffect(() => setDraft(filter), [JSON.stringify(filter)]);
	return <form class="filter" onSubmit={(event) => {
		event.preventDefault();
		apply(draft);
	}}>
		{FIELDS.map(({ name, label, hint }) => <label key={name} class="field">{label}
			<input type="search" name={name} placeholder={hint} value={draft[name] ?? ''}
				onInput={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })} /></label>)}
		{choice('cause', 'Cause', Object.keys(CAUSES).slice(1))}
		{choice('state', 'State', STATES)}
		<button type="submit" class="main">Find</button>
		{Object.keys(filter).length > 0 && <button type="button" onClick={() => apply({})}>Clear</button>}
	</form>;
}

// The recipient who waits for the gravest reason stands for the message in the list.
function first(message: Message): Recipient {
	return message.recipients.find((r) => r.cause !== 'none') ?? message.recipients[0];
}

function Address({ message }: { message: Message }) {
	const more = message.recipients.length - 1;
	return <>{first(message)?.address ?? '?'}{more > 0 && <span class="dim"> and {plural(more, 'other')}</span>}</>;
}

const COLUMNS: Column<Message>[] = [
	{ title: 'To', cell: (m) => <a class="strong" href={href('messages', m.id)}><Address message={m} /></a> },
	{ title: 'State', cell: (m) => <Badge name={first(m)?.state ?? ''} /> },
	{ title: 'From', cell: (m) => m.sender || <span class="dim">{m.notice ? 'a notice' : 'null sender'}</span> },
	{ title: 'Cause', cell: (m) => first(m) && first(m).cause !== 'none' ? <Cause name={first(m).cause} /> : '' },
	{ title: 'Tries', is_number: true, is_extra: true, cell: (m) => number(first(m)?.attempts ?? 0) },
	{ title: 'Accepted', cell: (m) => <Ago time={m.arrived} /> },
	{ title: 'Next try', is_extra: true, cell: (m) => first(m)?.next ? <Until time={first(m).next} /> : '' },
	{ title: 'Deadline', cell: (m) => first(m)?.deadline ? <Deadline time={first(m).deadline} /> : '' },
	{ title: 'Size', is_number: true, is_extra: true, cell: (m) => bytes(m.size) },
];

function Bulk({ filter }: { filter: Filter }) {
	const what = { filter };
	const of = say(filter);

	return <span class="buttons">
		<button type="button" onClick={() => command('retry', what, of)}>Retry all</button>
		<button type="button" onClick={() => extend(what, of)}>Extend all</button>
		<button type="button" onClick={() => command('hold', what, of)}>Hold all</button>
		<button type="button" onClick={() => command('release', what, of)}>Release all</button>
		<button type="button" onClick={() => command('cancel', what, of)}>Cancel all</button>
	</span>;
}

// What was loaded beyond the first page stays until the filter changes; the first page is kept true. A search by address
// ends after a second with what it has: it goes on by itself until a page is full.
function useMore(filter: Filter, first: Answer | undefined) {
	const [more, setMore] = useState<Answer | null>(null);
	const [problem, setProblem] = useState<Problem>();
	const key = JSON.stringify(filter);
	const latest = useRef(key);
	const next = more ? more.cursor : first?.cursor;
	const found = (first?.messages.length ?? 0) + (more?.messages.length ?? 0);
	const isSearching = next !== undefined && found < PAGE && !problem;
	const load = async () => {
		try {
			const answer = await get<Answer>(`/v1/messages${query({ ...filter, limit: PAGE, cursor: next })}`);

			if (latest.current === key)
				setMore((old) => ({ messages: [...(old?.messages ?? []), ...answer.messages], cursor: answer.cursor }));
		} catch (error) {
			setProblem(error as Problem);
		}
	};

	latest.current = key;
	useEffect(() => {
		setMore(null);
		setProblem(undefined);
	}, [key]);
	useEffect(() => void (isSearching && load()), [isSearching, next]);
	return { more: more?.messages ?? [], next, load, isSearching, problem };
}

// What was done to deadlines, the newest first, and the way back.
function Operations() {
	const operations = useLive<{ operations: Operation[] }>('/v1/operations').value?.operations ?? [];
	const columns: Column<Operation>[] = [
		{ title: 'Operation', cell: (o) => <b>{o.action} by {span(Math.abs(o.amount_seconds))}</b> },
		{ title: 'What', cell: (o) => o.id ? `message ${o.id}` : say(o.filter ?? {}) },
		{ title: 'Recipients', is_number: true, cell: (o) => number(o.recipients) },
		{ title: 'When', cell: (o) => <Ago time={o.at} /> },
		{ title: 'Act', cell: (o) => <button type="button" onClick={() => undo(o.number)}>Undo</button> },
	];
	const rows = operations.filter((o) => o.state === 'done').sort((a, b) => b.number - a.number).slice(0, OPERATIONS_SHOWN);

	return rows.length === 0 ? null : <Panel title="Deadlines moved lately" wide>
		<Table label="Operations" columns={columns} rows={rows} keyOf={(o) => String(o.number)} /></Panel>;
}

export function List({ route }: { route: Route }) {
	const filter = route.options;
	const { value, problem } = useLive<Answer>(`/v1/messages${query({ ...filter, limit: PAGE })}`);
	const { more, next, load, isSearching, problem: refused } = useMore(filter, value);
	const seen = new Set<string>();
	const rows = [...(value?.messages ?? []), ...more].filter((m) => !seen.has(m.id) && seen.add(m.id));

	return <>
		<h1>Messages</h1>
		<FilterForm filter={filter} />
		<Trouble problem={problem ?? refused} />
		<Panel title={value ? `${number(rows.length)}${isSearching ? ' found, searching on …' : next ? ' shown, there are more' : ''}` : 'Messages'} wide
			aside={rows.length > 0 && <Bulk filter={filter} />}>
			{value && rows.length === 0 && !isSearching ? <Empty>{Object.keys(filter).length > 0 ? 'No message in the queue fits.' : 'The queue is empty.'}</Empty>
				: <Table label="Messages" columns={COLUMNS} rows={rows} keyOf={(m) => m.id} />}
			{next && !isSearching && <p class="pad"><button type="button" onClick={() => void load()}>Show more</button></p>}
		</Panel>
		<Operations />
	</>;
}
