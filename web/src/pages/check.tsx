// Does a destination take mail, and is a sender trusted? Found out by the relay, from where it stands.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { post } from '../api';
import { words } from '../format';
import { type Column, Empty, Panel, Table } from '../parts';

interface Finding { name: string; severity: string; where?: string; area?: string; lost?: number; text: string; advice: string | null }
interface Server {
	address: string; takes_mail: boolean; stage: string; code: number; text: string; banner: string; took_ms: number;
	tls: { starttls: string; protocol?: string; verdict?: string };
}
interface Inspection {
	domain: string; recipient: string; accepts_mail: string; why: string; findings: Finding[]; took_ms: number;
	hosts: { host: string; preference: number; dns: string; servers: Server[] }[];
}
interface Reputation {
	domain: string; verdict: string; score: number; judged_points: number; findings: Finding[];
	areas: { area: string; judged: boolean; points: number; of: number }[];
}

const TONES: Record<string, string> = { yes: 'good', partly: 'warn', no: 'bad', good: 'good', fair: 'warn', poor: 'bad', fine: 'good',
	ok: 'good', weak: 'warn', warning: 'warn', broken: 'bad', bad: 'bad' };

function Verdict({ name }: { name: string }) {
	return <span class={`badge ${TONES[name] ?? 'dim'}`}>{words(name)}</span>;
}

const FINDINGS: Column<Finding>[] = [
	{ title: 'Finding', cell: (f) => <b>{f.where || words(f.area ?? '') || 'the domain'}</b> },
	{ title: 'Severity', cell: (f) => <Verdict name={f.severity} /> },
	{ title: 'What was seen', cell: (f) => f.text },
	{ title: 'What to do', cell: (f) => f.advice ?? '' },
];

function Findings({ findings }: { findings: Finding[] }) {
	return findings.length === 0 ? <Empty>Nothing to find fault with.</Empty>
		: <Table label="Findings" columns={FINDINGS} rows={findings} keyOf={(f) => `${f.name} ${f.where ?? ''} ${f.text}`} />;
}

type Row = Server & { host: string; preference: number };

const SERVERS: Column<Row>[] = [
	{ title: 'Host', cell: (s) => <b>{s.preference} {s.host}</b> },
	{ title: 'Takes mail', cell: (s) => <Verdict name={s.takes_mail ? 'yes' : 'no'} /> },
	{ title: 'Address', cell: (s) => <code>{s.address}</code> },
	{ title: 'Came to', cell: (s) => s.takes_mail ? '' : s.stage },
	{ title: 'Said', cell: (s) => <code>{s.text || s.banner}</code> },
	{ title: 'TLS', cell: (s) => s.tls.protocol ? `${s.tls.protocol}, ${s.tls.verdict ?? ''}` : s.tls.starttls },
	{ title: 'Time', is_number: true, cell: (s) => `${s.took_ms} ms` },
];

function InspectionResult({ found }: { found: Inspection }) {
	const servers = found.hosts.flatMap((host) => host.servers.map((server) => ({ ...server, host: host.host, preference: host.preference })));

	return <>
		<Panel title={`Does ${found.recipient || found.domain} take mail?`} wide aside={<Verdict name={found.accepts_mail} />}>
			<p class="pad verdict">{found.why}</p>
			<Findings findings={found.findings} />
		</Panel>
		{servers.length > 0 && <Panel title="Servers" wide>
			<Table label="Servers" columns={SERVERS} rows={servers} keyOf={(s) => `${s.host} ${s.address}`} /></Panel>}
	</>;
}

function ReputationResult({ found }: { found: Reputation }) {
	return <Panel title={`Is ${found.domain} trusted as a sender?`} wide
		aside={<span><b>{found.score} of 100</b> <Verdict name={found.verdict} /></span>}>
		<ul class="areas">{found.areas.filter((area) => area.judged).map((area) => <li key={area.area}>
			<span>{words(area.area)}</span><meter min={0} max={area.of} value={area.points} aria-label={words(area.area)} /><span class="dim">{area.points} of {area.of}</span></li>)}</ul>
		<Findings findings={found.findings} />
	</Panel>;
}

export function Check() {
	const [target, setTarget] = useState('');
	const [result, setResult] = useState<ComponentChildren>(null);
	const [busy, setBusy] = useState('');
	const [problem, setProblem] = useState('');
	const find = async (what: 'check' | 'reputation') => {
		setBusy(what);
		setProblem('');
		setResult(null);
		try {
			setResult(what === 'check' ? <InspectionResult found={await post<Inspection>('/v1/check', { target })} />
				: <ReputationResult found={await post<Reputation>('/v1/reputation', { target })} />);
		} catch (error) {
			setProblem((error as Error).message);
		}
		setBusy('');
	};

	return <>
		<h1>Check</h1>
		<form class="filter" onSubmit={(event) => {
			event.preventDefault();
			void find('check');
		}}>
			<label class="field grow">A domain, or an address
				<input type="search" placeholder="example.org" value={target} onInput={(event) => setTarget(event.currentTarget.value.trim())} /></label>
			<button type="submit" class="main" disabled={!target || !!busy}>Does it take mail?</button>
			<button type="button" disabled={!target || !!busy} onClick={() => void find('reputation')}>Is it trusted as a sender?</button>
		</form>
		{problem && <p class="trouble" role="alert">{problem}</p>}
		<div role="status">{busy && <p class="dim">Asking the DNS{busy === 'check' && ' and its mail servers'} …, at most 30 s</p>}</div>
		{result}
		{!result && !busy && <Panel title="From where the relay stands" wide><Empty>The relay asks with its own resolver, name and addresses. No mail is
			sent: a conversation ends before DATA.</Empty></Panel>}
	</>;
}
