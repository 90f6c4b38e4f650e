// Numbers over time, drawn by uPlot: stacked areas or lines, with a legend that follows the pointer.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { number, short, words } from './format';

export interface Line { name: string; values: (number | null)[]; colour: string } // a custom property of style.css

const HEIGHT = 190;

function css(name: string): string {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// The sums from the first line to each line: areas are drawn from the highest down, each over the one above it.
function stack(lines: Line[]): (number | null)[][] {
	const sums: (number | null)[][] = [];

	lines.forEach((line, i) => sums.push(line.values.map((value, k) => (value ?? 0) + (i > 0 ? sums[i - 1][k] ?? 0 : 0))));
	return sums;
}

function axes(): uPlot.Axis[] {
	const common = { stroke: css('--dim'), grid: { stroke: css('--line'), width: 1 }, ticks: { show: false },
		font: '11px system-ui, sans-serif' };

	return [{ ...common, space: 70, size: 26, gap: 6, values: timeLabels },
		{ ...common, size: 46, values: (_: uPlot, splits: number[]) => splits.map((value) => Number.isInteger(value) || value >= 10 ? short(value) : value.toFixed(1)) }];
}

function timeLabels(_: uPlot, splits: number[]): string[] {
	return splits.map((at) => new Date(at * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }));
}

function series(lines: Line[], isStacked: boolean): uPlot.Series[] {
	return lines.map((line) => ({
		label: line.name,
		stroke: css(line.colour),
		width: isStacked ? 1 : 1.75,
		fill: isStacked ? css(line.colour) : undefined,
		points: { show: false },
	}));
}

interface Props { at: number[]; lines: Line[]; isStacked?: boolean; label: string; from: number }

// uPlot draws in the order of its series, so a stack goes in upside down.
function dataOf({ at, lines, isStacked }: Props): uPlot.AlignedData {
	return [at, ...(isStacked ? stack(lines).reverse() : lines.map((line) => line.values))] as uPlot.AlignedData;
}

function useTheme(): number {
	const [turn, setTurn] = useState(0);

	useEffect(() => {
		const query = window.matchMedia('(prefers-color-scheme: dark)');
		const change = () => setTurn((old) => old + 1);
		query.addEventListener('change', change);
		return () => query.removeEventListener('change', change);
	}, []);
	return turn;
}

function useChart(props: Props, setAt: (at: number | null) => void) {
	const box = useRef<HTMLDivElement>(null);
	const chart = useRef<uPlot>();
	const latest = useRef(props);
	const theme = useTheme();
	const names = props.lines.map((line) => line.name).join();

	latest.current = props;
	useEffect(() => {
		const { lines, isStacked } = latest.current;
		const drawn = series(lines, !!isStacked);
		const plot = new uPlot({
			width: box.current!.clientWidth, height: HEIGHT, padding: [8, 12, 0, 0], legend: { show: false }, axes: axes(),
			cursor: { y: false, points: { show: !isStacked }, drag: { x: false, y: false } },
			scales: {
				x: { range: (_, __, end) => [Math.min(latest.current.from, end - 60), end] },
				y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] },
			},
			series: [{}, ...(isStacked ? drawn.reverse() : drawn)],
			hooks: { setCursor: [(self) => setAt(self.cursor.idx ?? null)] },
		}, dataOf(latest.current), box.current!);
		const watcher = new ResizeObserver(() => plot.setSize({ width: box.current!.clientWidth, height: HEIGHT }));

		watcher.observe(box.current!);
		chart.current = plot;
		return () => {
			watcher.disconnect();
			plot.destroy();
		};
	}, [names, props.isStacked, theme]);
	useEffect(() => chart.current?.setData(dataOf(latest.current)), [props.at, names, props.isStacked, theme]);
	return box;
}

export function Chart(props: Props) {
	const [index, setIndex] = useState<number | null>(null);
	const box = useChart(props, setIndex);
	const at = index !== null && index < props.at.length ? index : props.at.length - 1;
	const moment = props.at[at] ? new Date(props.at[at] * 1000).toLocaleTimeString('en-GB') : '';
	const total = props.lines.reduce((sum, line) => sum + (line.values[at] ?? 0), 0);

	return <figure class="chart">
		<div ref={box} class="plot" role="img" aria-label={props.label} />
		<figcaption>
			<span class="dim">{index === null ? 'now' : moment}</span>
			{props.isStacked && <span>all <b>{number(total)}</b></span>}
			{props.lines.map((line) => <span key={line.name}><i class="dot" style={{ background: `var(${line.colour})` }} />{words(line.name)} <b>
				{number(Math.round((line.values[at] ?? 0) * 10) / 10)}</b></span>)}
		</figcaption>
	</figure>;
}
