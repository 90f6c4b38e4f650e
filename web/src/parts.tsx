// The small things every page is made of.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Problem } from './api';
import { ago, CAUSES, date, number, until, words } from './format';
import { useSecond } from './live';

// As style.css names it.
export function causeColour(name: string): string {
	return `var(--cause-${name.replaceAll('_', '-')})`;
}

export function Cause({ name }: { name: string }) {
	return <span class="cause" title={CAUSES[name]}><i class="dot" style={{ background: causeColour(name) }} />{words(name)}</span>;
}

// How a state looks: its tone is a colour, its name is always there too.
const TONES: Record<string, string> = {
	open: 'good', delivered: 'good', recovering: 'good', delivering: 'good', probing: 'warn', throttled: 'warn',
	closed: 'bad', failed: 'bad', expired: 'bad', unresolved: 'bad', suspended: 'warn', held: 'warn', cancelled: 'dim',
	queued: 'dim', lasting: 'bad', critical: 'bad', high: 'bad', medium: 'warn', hard: 'bad', soft: 'warn',
};

export function Badge({ name }: { name: string }) {
	return <span class={`badge ${TONES[name] ?? 'dim'}`}>{words(name)}</span>;
}

export function Ago({ time }: { time: string | null | undefined }) {
	const now = useSecond();
	return <time dateTime={time ?? ''} title={date(time)}>{ago(time, now)}</time>;
}

export function Until({ time }: { time: string | null | undefined }) {
	return <time dateTime={time ?? ''} title={date(time)}>{until(time, useSecond())}</time>;
}

// Within the last hour it stands out.
export function Deadline({ time }: { time: string | null | undefined }) {
	const now = useSecond();
	const isNear = !!time && Date.parse(time) - now < 3600e3;
	return <time dateTime={time ?? ''} title={date(time)} class={isNear ? 'near' : ''}>{until(time, now)}</time>;
}

export function Panel({ title, aside, children, wide }:
{ title: string; aside?: ComponentChildren; children: ComponentChildren; wide?: boolean }) {
	return <section class={`panel ${wide ? 'wide' : ''}`}>
		<header><h2>{title}</h2>{aside}</header>
		{children}
	</section>;
}

export function Tile({ label, value, note, tone }:
{ label: string; value: number | string; note?: ComponentChildren; tone?: string }) {
	return <div class={`tile ${tone ?? ''}`}>
		<span class="label">{label}</span>
		<b>{typeof value === 'number' ? number(value) : value}</b>
		<span class="note">{note}</span>
	</div>;
}

export function Empty({ children }: { children: ComponentChildren }) {
	return <p class="empty">{children}</p>;
}

export function Trouble({ problem }: { problem: Problem | undefined }) {
	return problem ? <p class="trouble" role="alert">{problem.message}</p> : null;
}

export interface Column<T> {
	title: string; cell: (row: T) => ComponentChildren; is_number?: boolean;
	is_extra?: boolean; // left out where the screen is narrow
	sort?: (row: T) => number | string;
}

// A table; on a phone each row becomes a card whose cells say what they are.
export function Table<T>({ columns, rows, keyOf, onSort, sorted, label }: {
	columns: Column<T>[]; rows: T[]; keyOf: (row: T) => string; label: string;
	onSort?: (title: string) => void; sorted?: { title: string; is_down: boolean };
}) {
	const heading = (column: Column<T>) => {
		if (!column.sort || !onSort)
			return column.title;
		const arrow = sorted?.title === column.title ? (sorted.is_down ? ' ↓' : ' ↑') : '';
		return <button type="button" class="sort" onClick={() => onSort(column.title)}>{column.title}{arrow}</button>;
	};
	const order = (column: Column<T>) =>
		sorted?.title === column.title ? (sorted.is_down ? 'descending' as const : 'ascending' as const) : undefined;

	return <div class="scroll"><table aria-label={label}>
		<thead><tr>{columns.map((column) =>
			<th key={column.title} scope="col" aria-sort={order(column)} class={column.is_number ? 'number' : ''}>{heading(column)}</th>)}
		</tr></thead>
		<tbody>{rows.map((row) => <tr key={keyOf(row)}>{columns.map((column) =>
			<td key={column.title} data-title={column.title}
				class={`${column.is_number ? 'number' : ''} ${column.is_extra ? 'extra' : ''}`}>{column.cell(row)}</td>)}
		</tr>)}</tbody>
	</table></div>;
}

// Shares of a whole, each in the colour of its cause.
export function Bar({ parts }: { parts: Record<string, number> }) {
	const all = Object.values(parts).reduce((sum, part) => sum + part, 0);

	return <span class="bar" aria-hidden="true">{Object.entries(parts).sort((a, b) => b[1] - a[1]).map(([name, part]) =>
		<i key={name} style={{ flexGrow: part / all, background: causeColour(name) }} title={`${words(name)}: ${number(part)}`} />)}</span>;
}

export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
	return <dl class="facts">{facts.filter(([, value]) => value !== '' && value !== null && value !== undefined && value !== false)
		.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

// The browser's own modal dialog: it keeps the focus, and Escape closes it.
export function Dialog({ title, onClose, children }:
{ title: string; onClose: () => void; children: ComponentChildren }) {
	const element = useRef<HTMLDialogElement>(null);

	useEffect(() => {
		const dialog = element.current!;
		const before = document.activeElement as HTMLElement | null;

		dialog.showModal();
		return () => {
			dialog.close();
			before?.focus();
		};
	}, []);
	return <dialog ref={element} onClose={onClose} aria-label={title}
		onClick={(event) => event.target === element.current && onClose()}>
		<div class="sheet">
			<header><h2>{title}</h2><button type="button" class="plain" aria-label="Close" onClick={onClose}>✕</button></header>
			{children}
		</div>
	</dialog>;
}
