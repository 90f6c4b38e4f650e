// What expired or was cancelled lately, and sending it again.
import { drop, resend } from '../act';
import { type Kept, query } from '../api';
import { bytes, CAUSES, number, plural, words } from '../format';
import { useLive } from '../live';
import { Ago, Badge, Cause, type Column, Empty, Panel, Table, Trouble } from '../parts';
import { go, type Route } from '../route';
import { useEffect, useState } from 'preact/hooks';

const PAGE = 100;
const FIELDS: [string, string, string][] = [['destination', 'Destination', 'example.com'], ['to', 'To', 'part of an address'],
	['from', 'From', 'part of an address'], ['since', 'Since', '12h']];

const lost = (kept: Kept) => kept.recipients.filter((r) => r.state !== 'delivered');

const COLUMNS: Column<Kept>[] = [
	{ title: 'To', cell: (k) => <b>{lost(k)[0]?.address}{lost(k).length > 1 && <span class="dim"> and {plural(lost(k).length - 1, 'other')}</span>}</b> },
	{ title: 'State', cell: (k) => <Badge name={lost(k)[0]?.state ?? ''} /> },
	{ title: 'From', cell: (k) => k.sender || <span class="dim">null sender</span> },
	{ title: 'Subject', is_extra: true, cell: (k) => <span class="cut" title={k.subject ?? ''}>{k.subject}</span> },
	{ title: 'Cause', cell: (k) => lost(k)[0] && lost(k)[0].cause !== 'none' ? <Cause name={lost(k)[0].cause} /> : '' },
	{ title: 'Ended', cell: (k) => <Ago time={lost(k)[0]?.ended} /> },
	{ title: 'Last reply', is_extra: true, cell: (k) => <span class="cut" title={k.last_attempt?.text}>{k.last_attempt?.text}</span> },
	{ title: 'Size', is_number: true, is_extra: true, cell: (k) => bytes(k.size) },
	{ title: 'Act', cell: (k) => <span class="buttons">
		<button type="button" onClick={() => resend({ id: k.id, ...(lost(k)[0]?.state === 'cancelled' ? { cancelled: true } : {}) }, 'this message')}>Resend</button>
		<button type="button" onClick={() => drop({ id: k.id }, 'this message')}>Drop</button></span> },
];

function FilterForm({ filter }: { filter: Record<string, string> }) {
	const [draft, setDraft] = useState(filter);

	useEffect(() => setDraft(filter), [JSON.stringify(filter)]);
	return <form class="filter" onSubmit={(event) => {
		event.preventDefault();
		go('vault', '', draft);
	}}>
		{FIELDS.map(([name, label, hint]) => <label key={name} class="field">{label}
			<input type="search" name={name} placeholder={hint} value={draft[name] ?? ''}
				onInput={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })} /></label>)}
		<label class="field">Cause<select value={draft.cause ?? ''} onChange={(event) => go('vault', '', { ...draft, cause: event.currentTarget.value })}>
			<option value="">any</option>
			{Object.keys(CAUSES).slice(1).map((name) => <option key={name} value={name}>{words(name)}</option>)}
		</select></label>
		<button type="submit" class="main">Find</button>
		{Object.keys(filter).length > 0 && <button type="button" onClick={() => go('vault')}>Clear</button>}
	</form>;
}

export function Vault({ route }: { route: Route }) {
	const filter = route.options;
	const { value, problem } = useLive<{ messages: Kept[]; more: boolean; count: number; bytes: number }>(`/v1/vault${query({ ...filter, limit: PAGE })}`);
	const rows = value?.messages ?? [];
	const of = Object.keys(filter).length > 0 ? 'what is shown' : 'all of the vault';

	return <>
		<h1>Vault</h1>
		<p class="dim">Mail that expired or was cancelled stays here for a while. {value && `${plural(value.count, 'message')}, ${bytes(value.bytes)}.`}</p>
		<FilterForm filter={filter} />
		<Trouble problem={problem} />
		<Panel title={value ? `${number(rows.length)}${value.more ? ' shown, there are more' : ''}` : 'Vault'} wide
			aside={rows.length > 0 && <span class="buttons">
				<button type="button" class="main" onClick={() => resend(filter, of)}>Resend all</button>
				<button type="button" onClick={() => drop(filter, of)}>Drop all</button></span>}>
			{value && rows.length === 0 ? <Empty>{value.count > 0 ? 'Nothing in the vault fits.' : 'The vault is empty: nothing expired lately.'}</Empty>
				: <Table label="Vault" columns={COLUMNS} rows={rows} keyOf={(k) => k.id} />}
		</Panel>
	</>;
}
