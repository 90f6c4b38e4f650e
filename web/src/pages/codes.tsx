// The knowledge base: what a reply means and what to do about it.
import { useEffect, useState } from 'preact/hooks';
import { get, query } from '../api';
import { number } from '../format';
import { Badge, type Column, Empty, Panel, Table } from '../parts';
import { go, href, type Route } from '../route';

interface Head { key: string; title: string; kind: string; bounce: string; severity: string; category: string; standard: string; provider: string }
interface Code extends Head {
	meaning: string[]; says: string[]; causes: string[]; sender: string[]; operator: string[]; recipient: string[];
	seen: string[]; outlast: string[]; questions: { question: string; answer: string }[]; aliases: string[]; replies: string[]; related: string[];
}

const PAUSE_MS = 200;

// What does not change while the relay runs is asked for once.
function useOnce<T>(path: string): { value?: T; problem?: string } {
	const [state, setState] = useState<{ path: string; value?: T; problem?: string }>({ path });

	useEffect(() => {
		const timer = window.setTimeout(async () => {
			try {
				setState({ path, value: await get<T>(path) });
			} catch (error) {
				setState({ path, problem: (error as Error).message });
			}
		}, state.value || state.problem ? PAUSE_MS : 0);
		return () => window.clearTimeout(timer);
	}, [path]);
	return state;
}

const COLUMNS: Column<Head>[] = [
	{ title: 'Code', cell: (c) => <a class="strong" href={href('codes', c.key)}>{c.key}</a> },
	{ title: 'Bounce', cell: (c) => c.bounce === 'none' ? '' : <Badge name={c.bounce} /> },
	{ title: 'Title', cell: (c) => <>{c.title}{c.provider && <span class="dim"> · {c.provider}</span>}</> },
	{ title: 'Severity', is_extra: true, cell: (c) => c.severity === 'none' ? '' : <Badge name={c.severity} /> },
	{ title: 'Category', is_extra: true, cell: (c) => c.category },
	{ title: 'Standard', is_extra: true, cell: (c) => <span class="dim">{c.standard}</span> },
];

function List({ search }: { search: string }) {
	const [text, setText] = useState(search);
	const { value, problem } = useOnce<{ codes: Head[] }>(`/v1/codes${query({ search: text.trim() })}`);
	const rows = value?.codes ?? [];

	return <>
		<h1>Codes</h1>
		<form class="filter" onSubmit={(event) => {
			event.preventDefault();
			if (rows.length > 0)
				go('codes', rows[0].key);
		}}>
			<label class="field grow">A code, or words of a reply
				<input type="search" placeholder="4.4.7, mailbox full, TSS04" value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
		</form>
		{problem && <p class="trouble" role="alert">{problem}</p>}
		<Panel title={`${number(rows.length)} codes`} wide>
			{value && rows.length === 0 ? <Empty>No code has a word of that.</Empty> : <Table label="Codes" columns={COLUMNS} rows={rows} keyOf={(c) => c.key} />}
		</Panel>
	</>;
}

function Section({ title, lines }: { title: string; lines: string[] }) {
	return lines.length === 0 ? null : <section class="text"><h2>{title}</h2><ul>{lines.map((line) => <li key={line}>{line}</li>)}</ul></section>;
}

function Keys({ title, keys }: { title: string; keys: string[] }) {
	return keys.length === 0 ? null : <section class="text"><h2>{title}</h2>
		<p class="list">{keys.map((key) => <a key={key} href={href('codes', key)}>{key}</a>)}</p></section>;
}

function One({ name }: { name: string }) {
	const { value: code, problem } = useOnce<Code>(`/v1/codes/${encodeURIComponent(name)}`);

	return <>
		<nav class="crumbs"><a href={href('codes')}>Codes</a></nav>
		<h1>{name}{code && ` · ${code.title}`}</h1>
		{problem && <p class="trouble" role="alert">{problem}</p>}
		{code && <>
			<p class="lead">{code.bounce !== 'none' && <Badge name={code.bounce} />}{code.severity !== 'none' && <Badge name={code.severity} />}
				<span class="dim">{[code.category, code.standard, code.provider].filter(Boolean).join(' · ')}</span></p>
			<article class="panel prose">
				{code.meaning.map((paragraph) => <p key={paragraph}>{paragraph}</p>)}
				<Section title="Causes" lines={code.causes} />
				<Section title="What the sender can do" lines={code.sender} />
				<Section title="What the operator can do" lines={code.operator} />
				<Section title="What the recipient's side can do" lines={code.recipient} />
				<Section title="What Outlast does" lines={code.outlast} />
				<Section title="Typical words" lines={code.says} />
				<Section title="Seen at providers" lines={code.seen} />
				{code.questions.map((q) => <section class="text" key={q.question}><h2>{q.question}</h2><p>{q.answer}</p></section>)}
				<Keys title="Comes with reply code" keys={code.replies} />
				<Keys title="Related" keys={code.related} />
			</article>
		</>}
	</>;
}

export function Codes({ route }: { route: Route }) {
	return route.name ? <One key={route.name} name={route.name} /> : <List search={route.options.search ?? ''} />;
}
