// The relay's API: one function per kind of call, and the shapes of its answers.

export type Numbers = Record<string, number>;

export interface Outcome {
	result: string; cause: string; phase: string; code: number; status: string; duration_ms: number;
	duplicate_possible: boolean; host: string; address: string; tls: string; verified: boolean; text: string;
}

export interface Site {
	name: string; route: string; state: string; cause: string; probes: number; busy: number; window: number;
	connections: number; waiting: number; limit: string; rate_of: string; connections_of: string; per_hour: number;
	learned_per_hour: number; learned_connections: number; greylisting_seconds: number; since: string | null;
	next_probe: string | null; last_success: string | null; last_failure_at: string | null;
	last_failure: Outcome | null; limit_set_by?: string | null;
}

export interface Destination {
	destination: string; recipients: Numbers; causes: Numbers; delivered: number; failed: number; expired: number;
	suspended: boolean; suspend_reason?: string; oldest: string | null; next_deadline: string | null;
	site: Site | null; dns: string; moved?: { at: string; from: string; waiting: number };
}

export interface Status {
	version: string; started: string;
	queue: {
		messages: number; recipients: Numbers; causes: Numbers; accepted: number; delivered: number; failed: number;
		expired: number; notices: number; destinations: number; sites: number; sites_closed: number; jobs: number;
	};
	spool: { full: boolean; failed: boolean; disk_bytes: number; sync_us_last: number };
}

export interface Trend {
	step_seconds: number; at: number[]; accepted: number[]; delivered: number[]; failed: number[];
	expired: number[]; causes: Record<string, number[]>;
}

export interface ForecastSite {
	site: string; destination: string; state: string; cause: string; limit: string; waiting: number;
	no_window: number; per_hour: number; needed_per_hour: number; expiring: Numbers;
	odds_percent: Numbers | null; remedy: string | null;
}

export interface Forecast { at: string | null; expiring: Numbers; no_window: number; sites: ForecastSite[] }

export interface Incident {
	site: string; destination: string; cause: string; seconds: number; hurt: number; expired: number;
	recovered: number; start: string; end: string | null;
}

export interface Operation {
	number: number; state: string; action: string; at: string; recipients: number; amount_seconds: number;
	filter?: Record<string, string>; id?: string;
}

export interface Alarm { alarm: string; condition: string; raised: boolean; since: string | null; text: string; problem: string }

export interface Recipient {
	index: number; site: string; state: string; cause: string; attempts: number; notified: boolean;
	destination: string; since: string | null; next: string | null; deadline: string | null; ledger: Numbers;
	address?: string;
}

export interface Attempt extends Outcome { at: string; index: number }

export interface Message {
	id: string; arrived: string; size: number; notice: boolean; sender?: string; recipients: Recipient[];
	client?: string; subject?: string | null; attempts?: Attempt[]; attempts_left_out?: number;
}

export interface Kept {
	id: string; sender: string; subject: string | null; arrived: string; size: number; last_attempt?: Outcome;
	recipients: { address: string; state: string; cause: string; ended: string }[];
}

export interface Preview {
	matched: number; recipients?: number; changed?: number; expiring?: number; first_deadline?: string | null;
	last_deadline?: string | null; sent?: number; skipped?: number; not_back?: string[];
}

// What went wrong, in a sentence for the reader. 401: the relay wants a token; 0: it did not answer.
export class Problem extends Error {
	constructor(readonly status: number, sentence: string) {
		super(sentence);
	}
}

const TOKEN = 'outlast-token';

export function rememberToken(token: string): void {
	if (token)
		sessionStorage.setItem(TOKEN, token);
	else
		sessionStorage.removeItem(TOKEN);
}

export function hasToken(): boolean {
	return sessionStorage.getItem(TOKEN) !== null;
}

// Every call to the relay goes through here. The token travels in a header, never in a cookie, so that no other
// site can make a browser send it.
export async function call(path: string, options: RequestInit = {}): Promise<Response> {
	const headers: Record<string, string> = {};
	const token = sessionStorage.getItem(TOKEN);
	let response: Response;

	if (token)
		headers['Authorization'] = `Bearer ${token}`;
	if (options.body)
		headers['Content-Type'] = 'application/json';
	try {
		response = await fetch(path, { ...options, headers, credentials: 'omit' });
	} catch (error) {
		if (options.signal?.aborted)
			throw error;
		throw new Problem(0, 'The relay does not answer.');
	}
	if (response.ok)
		return response;
	const problem = await response.json().catch(() => ({})) as { detail?: string; title?: string };
	throw new Problem(response.status, problem.detail ?? problem.title ?? `The relay answered ${response.status}.`);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
	return await (await call(path, { signal })).json() as T;
}

export async function post<T = Preview>(path: string, body: object = {}): Promise<T> {
	return await (await call(path, { method: 'POST', body: JSON.stringify(body) })).json() as T;
}

// "?to=..." of what is not empty.
export function query(values: Record<string, string | number | undefined>): string {
	const text = new URLSearchParams();

	for (const [name, value] of Object.entries(values))
		if (value !== undefined && value !== '')
			text.set(name, String(value));
	return text.toString() && `?${text}`;
}
