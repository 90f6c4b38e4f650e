// What a page shows stays true without a reload: it asks again every few seconds, while somebody looks. A stream of all
// events would be megabytes a second on a busy relay, for the same picture.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get, Problem } from './api';

const POLL_MS = 2000;
const REST = 10; // what took the relay long to answer is asked again only after so many times as long

type Listener = (isForced: boolean) => void;

const listeners = new Set<Listener>();

function tick(isForced: boolean): void {
	if (!document.hidden)
		listeners.forEach((listener) => listener(isForced));
}

// After an operator's action everything is asked for at once.
export function refresh(): void {
	tick(true);
}

export function startLive(): void {
	window.setInterval(() => tick(false), POLL_MS);
	document.addEventListener('visibilitychange', refresh);
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
