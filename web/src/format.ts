// Numbers, times and names as the reader sees them.

const numberFormat = new Intl.NumberFormat('en');

export function number(value: number): string {
	return numberFormat.format(value);
}

// 12.3k where there is no room.
export function short(value: number): string {
	if (Math.abs(value) < 10000)
		return number(Math.round(value * 10) / 10);
	return value < 1e6 ? `${Math.round(value / 100) / 10}k` : `${Math.round(value / 1e5) / 10}M`;
}

export function bytes(value: number): string {
	const units = ['B', 'KB', 'MB', 'GB', 'TB'];
	let unit = 0;

	for (; value >= 1000 && unit < units.length - 1; unit++)
		value /= 1000;
	return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const SPANS: [string, number][] = [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]];

// "2h 5m": the two largest units.
export function span(seconds: number): string {
	const parts: string[] = [];
	let rest = Math.max(0, Math.round(seconds));

	if (rest >= 86400)
		rest -= rest % 3600;
	else if (rest >= 3600)
		rest -= rest % 60;
	for (const [unit, size] of SPANS) {
		const count = Math.floor(rest / size);

		rest -= count * size;
		if (count > 0)
			parts.push(`${count}${unit}`);
	}
	return parts.length > 0 ? parts.slice(0, 2).join(' ') : '0s';
}

export function ago(time: string | null | undefined, now: number): string {
	return time ? `${span((now - Date.parse(time)) / 1000)} ago` : '–';
}

export function until(time: string | null | undefined, now: number): string {
	if (!time)
		return '–';
	const seconds = (Date.parse(time) - now) / 1000;
	return seconds <= 0 ? 'now' : `in ${span(seconds)}`;
}

const dateFormat = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function date(time: string | null | undefined): string {
	return time ? dateFormat.format(new Date(time)) : '–';
}

// "host_down" -> "host down"
export function words(name: string): string {
	return name.replaceAll('_', ' ');
}

export function plural(count: number, noun: string): string {
	return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

// What a cause means, for titles; the queue's own words.
export const CAUSES: Record<string, string> = {
	none: 'being delivered',
	host_down: 'the receiving host refused the connection or did not answer',
	host_busy: 'the receiving host said that it is too busy',
	network: 'the connection to the receiving host was lost',
	dns_failure: 'the domain could not be looked up',
	dns_changed: 'the domain vanished from the DNS or moved',
	tls: 'no connection as secure as required could be made',
	protocol: 'the receiving host said something that is not SMTP',
	greylisted: 'the receiving host asked us to come back later',
	mailbox_full: 'the mailbox is full',
	mailbox_busy: 'the mailbox could not take mail at that moment',
	rate_limited: 'the receiving host limits how much it takes from us',
	reputation: 'the receiving host distrusts our address or domain',
	policy: 'a policy of the receiving host put the mail off',
	soft_other: 'the receiving host put the mail off for a reason of its own',
	own_limit: 'our own limits for this destination were reached',
	suspended: 'an operator suspended this destination',
	held: 'an operator put the message on hold',
	own_fault: 'something on our own side was out of order',
};
