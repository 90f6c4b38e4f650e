// Where mail goes: how each destination is, what holds it back, and the handles.
import { useState } from 'preact/hooks';
import { command, extend, resume, suspend } from '../act';
import type { Destination, Site } from '../api';
import { number, span, words } from '../format';
import { useLive } from '../live';
import { Ago, Badge, Bar, Cause, type Column, Deadline, Empty, Facts, Panel, Table, Trouble, Until } from '../parts';
import { go, href, type Route } from '../route';

const SHOWN = 200;

const waiting = (d: Destination) => (d.recipients.queued ?? 0) + (d.recipients.delivering ?? 0) + (d.recipients.held ?? 0);
const stateOf = (d: Destination) => d.suspended ? 'suspended' : d.site ? d.site.state : 'unresolved';

function mainCause(d: Destination): string {
	if (d.site && d.site.cause !== 'none')
		return d.site.cause;
	return Object.entries(d.causes).sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}

function pace(site: Site | null): string {
	if (!site)
		return '–';
	if (site.per_hour > 0)
		return `${number(site.per_hour)}/h`;
	return site.learned_per_hour > 0 ? `${number(site.learned_per_hour)}/h learned` : 'no limit';
}

function limit(site: Site | null): string {
	return !site || site.limit === 'none' || site.limit === 'closed' ? '' : words(site.limit);
}

function Buttons({ destination }: { destination: Destination }) {
	const domain = destination.destination;
	const filter = { filter: { destination: domain } };
	const has_mail = waiting(destination) > 0;

	return <span class="buttons">
		{destination.suspended ? <button type="button" class="main" onClick={() => void resume(domain)}>Resume</button>
			: <button type="button" onClick={() => suspend(domain)}>Suspend</button>}
		<button type="button" disabled={!has_mail} onClick={() => command('retry', filter, `mail to ${domain}`)}>Retry</button>
		<button type="button" disabled={!has_mail} onClick={() => extend(filter, `mail to ${domain}`)}>Extend</button>
	</span>;
}

const COLUMNS: Column<Destination>[] = [
	{ title: 'Destination', sort: (d) => d.destination,
		cell: (d) => <a class="strong" href={href('destinations', d.destination)}>{d.destination}</a> },
	{ title: 'Health', sort: stateOf, cell: (d) => <Badge name={stateOf(d)} /> },
	{ title: 'Cause', sort: mainCause, cell: (d) => mainCause(d) && waiting(d) > 0 ? <Cause name={mainCause(d)} /> : '' },
	{ title: 'Waiting', is_number: true, sort: waiting, cell: (d) => <b>{number(waiting(d))}</b> },
	{ title: 'Delivered', is_number: true, is_extra: true, sort: (d) => d.delivered, cell: (d) => number(d.delivered) },
	{ title: 'Expired', is_number: true, is_extra: true, sort: (d) => d.expired, cell: (d) => number(d.expired) },
	{ title: 'Pace', is_number: true, is_extra: true, sort: (d) => d.site?.per_hour ?? 0, cell: (d) => pace(d.site) },
	{ title: 'Held back by', is_extra: true, cell: (d) => limit(d.site) },
	{ title: 'Next probe', sort: (d) => d.site?.next_probe ?? '~', cell: (d) => d.site?.next_probe ? <Until time={d.site.next_probe} /> : '' },
	{ title: 'First deadline', sort: (d) => d.next_deadline ?? '~', cell: (d) => d.next_deadline ? <Deadline time={d.next_deadline} /> : '' },
	{ title: 'Act', cell: (d) => <Buttons destination={d} /> },
];

function compare(a: number | string, b: number | string): number {
	return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}

function List() {
	const { value, problem } = useLive<{ destinations: Destination[] }>('/v1/destinations');
	const [text, setText] = useState('');
	const [sorted, setSorted] = useState({ title: 'Waiting', is_down: true });
	const column = COLUMNS.find((c) => c.title === sorted.title)!;
	const rows = (value?.destinations ?? []).filter((d) => d.destination.includes(text.toLowerCase()))
		.sort((a, b) => compare(column.sort!(a), column.sort!(b)) * (sorted.is_down ? -1 : 1) || compare(a.destination, b.destination));

	return <>
		<h1>Destinations</h1>
		<Trouble problem={problem} />
		<Panel title={value ? `${number(rows.length)} known` : 'Destinations'} wide
			aside={<input type="search" placeholder="Filter by name" aria-label="Filter by name" value={text}
				onInput={(event) => setText(event.currentTarget.value)} />}>
			{rows.length === 0 && value ? <Empty>No destination of that name has mail, or had some lately.</Empty>
				: <Table label="Destinations" columns={COLUMNS} rows={rows.slice(0, SHOWN)} keyOf={(d) => d.destination} sorted={sorted}
					onSort={(title) => setSorted((old) => ({ title, is_down: old.title === title ? !old.is_down : title !== 'Destination' }))} />}
			{rows.length > SHOWN && <p class="dim pad">{number(rows.length - SHOWN)} more: filter by name.</p>}
		</Panel>
	</>;
}

function SitePanel({ site }: { site: Site }) {
	const failure = site.last_failure;

	return <Panel title={`Site ${site.name}`} aside={<Badge name={site.state} />}>
		<Facts facts={[
			['Since', <Ago time={site.since} />],
			['Cause', site.cause === 'none' ? '' : <Cause name={site.cause} />],
			['Next probe', site.next_probe && <Until time={site.next_probe} />],
			['Last success', <Ago time={site.last_success} />],
			['Connections', `${site.busy} busy, ${site.window} allowed now, ${site.connections} at most`],
			['Pace', pace(site)],
			['Held back by', limit(site) && <>{limit(site)}{site.limit_set_by ? <> (<code>{site.limit_set_by}</code>)</> : ''}</>],
			['Learned', site.learned_connections > 0 ? `${site.learned_connections} connections` : ''],
			['Greylisting', site.greylisting_seconds > 0 ? `learned: ${span(site.greylisting_seconds)}` : ''],
			['Hosts', <code>{site.route}</code>],
		]} />
		{failure && <div class="reply">
			<header><b>Last failure</b> <Ago time={site.last_failure_at} /> · {words(failure.phase)} · {failure.host || failure.address}</header>
			<pre>{failure.text}</pre>
		</div>}
	</Panel>;
}

function One({ name }: { name: string }) {
	const { value, problem } = useLive<Destination>(`/v1/destinations/${encodeURIComponent(name)}`);

	return <>
		<nav class="crumbs"><a href={href('destinations')}>Destinations</a></nav>
		<h1>{name} {value && <Badge name={stateOf(value)} />}</h1>
		<Trouble problem={problem} />
		{value && <>
			<p class="lead"><Buttons destination={value} /> <button type="button" onClick={() => go('messages', '', { destination: name })}>Its messages</button></p>
			{value.suspended && <p class="warning">Suspended{value.suspend_reason ? `: ${value.suspend_reason}` : ''}</p>}
			<div class="columns">
				<Panel title="Mail">
					{waiting(value) > 0 && <Bar parts={value.causes} />}
					<Facts facts={[
						['Waiting', number(waiting(value))],
						['By cause', waiting(value) > 0 && <span class="list">{Object.entries(value.causes).map(([cause, count]) =>
							<span key={cause}><Cause name={cause} /> {number(count)}</span>)}</span>],
						['Oldest', value.oldest && <Ago time={value.oldest} />],
						['First deadline', value.next_deadline && <Deadline time={value.next_deadline} />],
						['Delivered', number(value.delivered)],
						['Failed', number(value.failed)],
						['Expired', number(value.expired)],
						['DNS', value.dns],
						['Moved', value.moved && <><Ago time={value.moved.at} /> from {value.moved.from}</>],
					]} />
				</Panel>
				{value.site && <SitePanel site={value.site} />}
			</div>
		</>}
	</>;
}

export function Destinations({ route }: { route: Route }) {
	return route.name ? <One key={route.name} name={route.name} /> : <List />;
}
