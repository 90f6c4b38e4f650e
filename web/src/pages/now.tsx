// How things stand: what comes in and goes out, why mail waits, what will expire, and what is out of order.
import { useState } from 'preact/hooks';
import { extend } from '../act';
import type { Alarm, Forecast, ForecastSite, Incident, Status, Trend } from '../api';
import { Chart, type Line } from '../chart';
import { CAUSES, number, plural, span, words } from '../format';
import { useLive } from '../live';
import { Ago, Badge, Cause, type Column, Empty, Panel, Table, Tile, Trouble } from '../parts';
import { href } from '../route';

const SPANS: Record<string, number> = { '1h': 3600, '24h': 86400 };
const INCIDENTS_SHOWN = 12;

// Per minute, between each point and the one before it.
function perMinute(at: number[], counts: number[]): (number | null)[] {
	return counts.map((count, i) => {
		const seconds = i > 0 ? at[i] - at[i - 1] : 0;
		return seconds > 0 ? Math.max(0, (count - counts[i - 1]) * 60 / seconds) : null;
	});
}

// The last point is of this moment; so near to the one before it a rate says nothing.
function withoutLast(trend: Trend): Trend {
	const cut = <T,>(list: T[]) => list.length > 1 ? list.slice(0, -1) : list;
	return { ...trend, at: cut(trend.at), accepted: cut(trend.accepted), delivered: cut(trend.delivered),
		failed: cut(trend.failed), expired: cut(trend.expired) };
}

function flowLines(trend: Trend): { at: number[]; lines: Line[] } {
	const { at, accepted, delivered, expired, failed } = withoutLast(trend);
	const lost = expired.map((count, i) => count + failed[i]);

	return { at, lines: [
		{ name: 'messages accepted', values: perMinute(at, accepted), colour: '--in' },
		{ name: 'recipients delivered', values: perMinute(at, delivered), colour: '--good' },
		{ name: 'expired or failed', values: perMinute(at, lost), colour: '--bad' },
	] };
}

function causeLines(trend: Trend): Line[] {
	return Object.keys(CAUSES).filter((name) => name in trend.causes)
		.map((name) => ({ name: name === 'none' ? 'on its way' : name, values: trend.causes[name], colour: `--cause-${name.replaceAll('_', '-')}` }));
}

// Over the last minute that the trend has.
function rateNow(trend: Trend | undefined, name: 'accepted' | 'delivered'): string {
	if (!trend || trend.at.length < 2)
		return '–';
	const last = trend.at.length - 1;
	let first = last;

	while (first > 0 && trend.at[last] - trend.at[first] < 60)
		first--;
	const seconds = trend.at[last] - trend.at[first];
	return seconds > 0 ? number(Math.round((trend[name][last] - trend[name][first]) * 60 / seconds)) : '–';
}

function Tiles({ status, trend }: { status: Status; trend: Trend | undefined }) {
	const { queue, spool } = status;
	const waiting = (queue.recipients.queued ?? 0) + (queue.recipients.delivering ?? 0);
	const held = queue.recipients.held ?? 0;

	return <div class="tiles">
		<Tile label="In the queue" value={waiting} note={`${plural(queue.messages, 'message')}${held ? `, ${number(held)} held` : ''}`} />
		<Tile label="In, a minute" value={rateNow(trend, 'accepted')} note={`${number(queue.accepted)} since the start`} />
		<Tile label="Out, a minute" value={rateNow(trend, 'delivered')} note={`${number(queue.delivered)} since the start`} />
		<Tile label="Expired" value={queue.expired} note={`${number(queue.failed)} failed`} tone={queue.expired > 0 ? 'warn' : ''} />
		<Tile label="Sites closed" value={queue.sites_closed} note={`of ${number(queue.sites)}`} tone={queue.sites_closed > 0 ? 'warn' : ''} />
		<Tile label="Disk" value={spool.failed ? 'failed' : spool.full ? 'full' : 'fine'} tone={spool.failed || spool.full ? 'bad' : ''}
			note={`last sync ${(spool.sync_us_last / 1000).toFixed(1)} ms`} />
	</div>;
}

const nameOf = (site: { site: string; destination: string }) => site.site || site.destination;

// As the filters of messages want it.
function filterOf(site: ForecastSite): Record<string, string> {
	return site.site ? { site: site.site } : { destination: site.destination };
}

function Expiring({ forecast }: { forecast: Forecast | undefined }) {
	const columns: Column<ForecastSite>[] = [
		{ title: 'Site', cell: (site) => <a class="strong" href={href('messages', '', filterOf(site))}>{nameOf(site)}</a> },
		{ title: 'Cause', cell: (site) => site.cause === 'none' ? '' : <Cause name={site.cause} /> },
		{ title: 'Waiting', cell: (site) => number(site.waiting), is_number: true },
		{ title: '1 h', cell: (site) => number(site.expiring['1h']), is_number: true },
		{ title: '6 h', cell: (site) => number(site.expiring['6h']), is_number: true },
		{ title: '24 h', cell: (site) => number(site.expiring['24h']), is_number: true },
		{ title: 'Back by then', is_number: true, is_extra: true, cell: (site) => site.odds_percent ? `${site.odds_percent['24h']} %` : '–' },
		{ title: 'What would save it', is_extra: true, cell: (site) => <code>{site.remedy ?? ''}</code> },
		{ title: 'Act', cell: (site) => <button type="button" onClick={() => extend({ filter: filterOf(site) }, `mail to ${nameOf(site)}`)}>Extend</button> },
	];
	const rows = (forecast?.sites ?? []).filter((site) => site.expiring['24h'] > 0 || site.no_window > 0)
		.sort((a, b) => b.expiring['24h'] - a.expiring['24h']);

	return <Panel title="Expires if nothing changes" wide
		aside={forecast?.at && <span class="dim">reckoned <Ago time={forecast.at} /></span>}>
		<div class="horizons">{['1h', '6h', '24h'].map((horizon) => {
			const count = forecast?.expiring[horizon] ?? 0;
			return <div key={horizon} class={count > 0 ? 'some' : ''}><b>{number(count)}</b><span>within {horizon.replace('h', ' h')}</span></div>;
		})}</div>
		{rows.length > 0 ? <Table label="Sites whose mail will expire" columns={columns} rows={rows} keyOf={nameOf} />
			: <Empty>Nothing that waits now expires within a day.</Empty>}
	</Panel>;
}

function Incidents({ incidents }: { incidents: Incident[] }) {
	const rows = [...incidents].sort((a, b) => Number(!b.end) - Number(!a.end) || b.start.localeCompare(a.start));
	const columns: Column<Incident>[] = [
		{ title: 'Site', cell: (incident) => <b>{nameOf(incident)}</b> },
		{ title: 'State', cell: (incident) => <Badge name={incident.end ? 'over' : 'lasting'} /> },
		{ title: 'Cause', cell: (incident) => <Cause name={incident.cause} /> },
		{ title: 'Began', cell: (incident) => <Ago time={incident.start} /> },
		{ title: 'Length', cell: (incident) => span(incident.seconds), is_number: true },
		{ title: 'Hurt', cell: (incident) => number(incident.hurt), is_number: true },
		{ title: 'Recovered', cell: (incident) => number(incident.recovered), is_number: true, is_extra: true },
		{ title: 'Expired', cell: (incident) => number(incident.expired), is_number: true },
	];
	const lasting = rows.filter((incident) => !incident.end).length;

	return <Panel title="Incidents" wide aside={<span class="dim">{lasting > 0 ? `${number(lasting)} going on` : 'none going on'}</span>}>
		{rows.length > 0 ? <Table label="Incidents" columns={columns} rows={rows.slice(0, INCIDENTS_SHOWN)}
			keyOf={(incident) => `${nameOf(incident)} ${incident.start}`} />
			: <Empty>No site has kept mail waiting lately.</Empty>}
		{rows.length > INCIDENTS_SHOWN && <p class="dim pad">{number(rows.length - INCIDENTS_SHOWN)} older ones: <code>outlast incidents</code></p>}
	</Panel>;
}

function SpanChoice({ value, onChange }: { value: string; onChange: (value: string) => void }) {
	return <span class="choice" role="group" aria-label="Time shown">{Object.keys(SPANS).map((name) =>
		<button key={name} type="button" aria-pressed={name === value} onClick={() => onChange(name)}>{name.replace('h', ' h')}</button>)}</span>;
}

function Alarms() {
	const alarms = useLive<{ alarms: Alarm[] }>('/v1/alarms').value?.alarms ?? [];

	return <>{alarms.filter((alarm) => alarm.raised).map((alarm) => <p key={alarm.alarm} class="trouble" role="alert">
		<b>{alarm.alarm}</b>: {alarm.text || alarm.condition} · <Ago time={alarm.since} />{alarm.problem && ` · ${alarm.problem}`}</p>)}</>;
}

export function Now() {
	const [spanName, setSpan] = useState('1h');
	const status = useLive<Status>('/v1/status');
	const trend = useLive<Trend>(`/v1/trend?span=${spanName}`).value;
	const forecast = useLive<Forecast>('/v1/forecast').value;
	const incidents = useLive<{ incidents: Incident[] }>('/v1/incidents').value?.incidents ?? [];
	const from = trend ? Math.max(trend.at[0], trend.at[trend.at.length - 1] - SPANS[spanName]) : 0;
	const flow = trend && flowLines(trend);
	const causes = status.value?.queue.causes ?? {};
	const worst = Object.entries(causes).sort((a, b) => b[1] - a[1])[0];

	return <>
		<h1>Now</h1>
		<Trouble problem={status.problem} />
		<Alarms />
		{status.value && <Tiles status={status.value} trend={trend} />}
		<div class="columns">
			<Panel title="Why mail waits" aside={<SpanChoice value={spanName} onChange={setSpan} />}>
				{trend && <Chart at={trend.at} lines={causeLines(trend)} isStacked from={from}
					label={worst ? `Recipients in the queue by cause; most: ${words(worst[0])}, ${worst[1]}` : 'The queue is empty'} />}
			</Panel>
			<Panel title="Flow, a minute" aside={<a href={href('messages')}>Messages</a>}>
				{flow && <Chart at={flow.at} lines={flow.lines} from={from} label="Messages accepted and recipients delivered a minute" />}
			</Panel>
		</div>
		<Expiring forecast={forecast} />
		<Incidents incidents={incidents} />
	</>;
}
