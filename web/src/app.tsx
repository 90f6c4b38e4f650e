// The frame: where one can go, whether the relay answers, and the page.
import { useEffect, useState } from 'preact/hooks';
import { ActHost } from './act';
import { hasToken, rememberToken, type Status } from './api';
import { Login } from './login';
import { refresh, startLive, useLive } from './live';
import { Check } from './pages/check';
import { Codes } from './pages/codes';
import { Config } from './pages/config';
import { Destinations } from './pages/destinations';
import { List as MessageList } from './pages/messages';
import { OneMessage } from './pages/message';
import { Now } from './pages/now';
import { Vault } from './pages/vault';
import { Empty } from './parts';
import { go, href, type Route, useRoute } from './route';

interface Page { name: string; title: string; key: string; show: (props: { route: Route }) => preact.JSX.Element }

function Messages({ route }: { route: Route }) {
	return route.name ? <OneMessage key={route.name} id={route.name} /> : <MessageList route={route} />;
}

const PAGES: Page[] = [
	{ name: 'now', title: 'Now', key: 'n', show: Now },
	{ name: 'destinations', title: 'Destinations', key: 'd', show: Destinations },
	{ name: 'messages', title: 'Messages', key: 'm', show: Messages },
	{ name: 'vault', title: 'Vault', key: 'v', show: Vault },
	{ name: 'codes', title: 'Codes', key: 'c', show: Codes },
	{ name: 'check', title: 'Check', key: 'k', show: Check },
	{ name: 'config', title: 'Config', key: 'f', show: Config },
];

// "g" and a letter go to a page, "/" into its search field, as in other programs that are open all day.
function useKeys(): void {
	useEffect(() => {
		let isGo = false;
		const press = (event: KeyboardEvent) => {
			const target = event.target as HTMLElement;

			if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, select, textarea, dialog *'))
				return;
			const page = isGo && PAGES.find((p) => p.key === event.key);
			isGo = event.key === 'g';
			if (page)
				go(page.name);
			if (event.key === '/') {
				event.preventDefault();
				document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
			}
		};
		document.addEventListener('keydown', press);
		return () => document.removeEventListener('keydown', press);
	}, []);
}

function Frame({ status, isAnswering, onLogout }: { status: Status; isAnswering: boolean; onLogout: () => void }) {
	const route = useRoute();
	const page = PAGES.find((p) => p.name === route.page);

	useKeys();
	useEffect(() => {
		document.title = `${page?.title ?? 'Outlast'} · Outlast`;
		window.scrollTo(0, 0);
		document.querySelector('.top [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }); // on a phone
	}, [page, route.name]);
	return <>
		<a class="skip" href="#page" onClick={(event) => {
			event.preventDefault();
			document.getElementById('page')!.focus();
		}}>To the page</a>
		<header class="top">
			<a class="brand" href={href('now')}><img src="/icon.svg" alt="" width="22" height="22" />Outlast</a>
			<nav aria-label="Pages">{PAGES.map((p) =>
				<a key={p.name} href={href(p.name)} aria-current={p === page ? 'page' : undefined} title={`g ${p.key}`}>{p.title}</a>)}</nav>
			<span class={`answering ${isAnswering ? '' : 'not'}`} role="status">{isAnswering ? 'live' : 'no answer'}</span>
			<span class="version">{status.version}</span>
			{hasToken() && <button type="button" class="plain" onClick={onLogout}>Log out</button>}
		</header>
		<main id="page" tabIndex={-1}>{page ? <page.show key={page.name} route={route} /> : <Empty>There is no such page.</Empty>}</main>
		<ActHost />
	</>;
}

export function App() {
	const [isLoggedOut, setLoggedOut] = useState(false);
	const status = useLive<Status>('/v1/status');

	const login = (token: string) => {
		rememberToken(token);
		setLoggedOut(token === '');
		refresh();
	};

	useEffect(startLive, []);
	if (isLoggedOut || status.problem?.status === 401)
		return <Login was_tried={hasToken()} onToken={login} />;
	if (!status.value)
		return <p class="alone">{status.problem ? status.problem.message : 'Asking the relay …'}</p>;
	return <Frame status={status.value} isAnswering={!status.problem} onLogout={() => login('')} />;
}
