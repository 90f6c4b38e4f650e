// Where the reader is: "#/messages/ID?cause=host_down". Nothing else keeps state, so that every view has an address.
import { useEffect, useState } from 'preact/hooks';

export interface Route { page: string; name: string; options: Record<string, string> }

export function href(page: string, name = '', options: Record<string, string | undefined> = {}): string {
	const text = new URLSearchParams();

	for (const [key, value] of Object.entries(options))
		if (value)
			text.set(key, value);
	return `#/${page}${name && `/${encodeURIComponent(name)}`}${text.toString() && `?${text}`}`;
}

export function go(page: string, name = '', options: Record<string, string | undefined> = {}): void {
	location.hash = href(page, name, options);
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text; // typed by hand
	}
}

function read(): Route {
	const [path, search] = location.hash.replace(/^#\/?/, '').split('?', 2);
	const [page, name] = path.split('/', 2);

	return { page: page || 'now', name: decode(name ?? ''), options: Object.fromEntries(new URLSearchParams(search)) };
}

export function useRoute(): Route {
	const [route, setRoute] = useState(read);

	useEffect(() => {
		const change = () => setRoute(read());
		window.addEventListener('hashchange', change);
		return () => window.removeEventListener('hashchange', change);
	}, []);
	return route;
}
