// What a page shows stays true without a reload: events of the relay, or a clock where it sends none, make pages
// ask again.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call, get, Problem } from './api';

const POLL_MS = 3000;    // while there is no stream of events
const QUIET_MS = 15000;  // with a stream: what passes without an event (probes, ages) is asked for this often
const BURST_MS = 1000;   // events that come in a burst cause one question
const REST = 10;         // what took the relay long to answer is asked again only after so many times as long

type Listener = (isForced: boolean) => void;

const listeners = new Set<Listener>();
let hasStream = false;
let lastTick = 0;
let pending: number | undefined;

function tick(isForced: boolean): void {
	pending = undefined;
	lastTick = Date.now();
	if (!document.hidden)
		listeners.forEach((listener) => listener(isForced));
}

function tickSoon(): void {
	if (pending === undefined)
		pending = window.setTimeout(() => tick(false), Math.max(0, lastTick + BURST_MS - Date.now()));
}

// After an operator's action everything is asked for at once.
export function refresh(): void {
	window.clearTimeout(pending);
	tick(true);
}

async function follow(): Promise<void> {
	const response = await call('/v1/events');
	const reader = response.body!.getReader();

	hasStream = true;
	for (;;) {
		const { done } = await reader.read();

		if (done)
			return;
		tickSoon();
	}
}

async function followAlways(): Promise<void> {
	for (;;) {
		try {
			await follow();
		} catch (error) {
			if (error instanceof Problem && error.status === 404)
				return; // this relay has no stream: the clock does it
		}
		hasStream = false;
		await new Promise((done) => window.setTimeout(done, POLL_MS));
	}
}

export function startLive(): void {
	void followAlways();
	window.setInterval(() => {
		if (Date.now() - lastTick >= (hasStream ? QUIET_MS : POLL_MS))
			tick(false);
	}, POLL_MS);
	document.addEventListener('visibilitychange', () => !document.hidden && refresh());
}

export interface Live<T> { value: T | undefined; problem: Problem | undefined; again: () => void }

// The answer to `path`, asked again at every tick. undefined: not asked (yet).
export function useLive<T>(path: string | null): Live<T> {
	const [state, setState] = useState<{ path: string | null; value?: T; problem?: Problem }>({ path });
	const isAsking = useRef(false);
	const wanted = useRef(path);
	const restUntil = useRef(0);

	wanted.current = path;
	const ask = useCallback(async () => {
		const asked = wanted.current;
		const began = Date.now();

		if (asked === null || isAsking.current)
			return;
		isAsking.current = true;
		try {
			const value = await get<T>(asked);
			setState({ path: asked, value });
		} catch (error) {
			const problem = error instanceof Problem ? error : new Problem(0, String(error));
			setState((old) => ({ path: asked, value: old.path === asked ? old.value : undefined, problem }));
		}
		isAsking.current = false;
		restUntil.current = Date.now() + REST * (Date.now() - began);
		if (wanted.current !== asked)
			void ask();
	}, []);

	useEffect(() => {
		const askRested = (isForced: boolean) => void ((isForced || Date.now() >= restUntil.current) && ask());

		void ask();
		listeners.add(askRested);
		return () => void listeners.delete(askRested);
	}, [path, ask]);
	const isOurs = state.path === path;
	return { value: isOurs ? state.value : undefined, problem: isOurs ? state.problem : undefined, again: () => void ask() };
}

// Renders anew every second, for what counts down.
export function useSecond(): number {
	const [now, setNow] = useState(Date.now());

	useEffect(() => {
		const timer = window.setInterval(() => setNow(Date.now()), 1000);
		return () => window.clearInterval(timer);
	}, []);
	return now;
}
