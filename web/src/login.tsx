// Over TCP the relay wants a token. It stays in this tab and is gone when the tab is closed.
import { useState } from 'preact/hooks';

export function Login({ was_tried, onToken }: { was_tried: boolean; onToken: (token: string) => void }) {
	const [token, setToken] = useState('');
	const enter = (event: Event) => {
		event.preventDefault();
		if (token.trim())
			onToken(token.trim());
	};

	return <main class="login"><form onSubmit={enter}>
		<h1><img src="/icon.svg" alt="" width="32" height="32" /> Outlast</h1>
		<label class="field">Token
			<input type="password" autocomplete="current-password" autofocus value={token} onInput={(event) => setToken(event.currentTarget.value)} /></label>
		{was_tried && <p class="trouble" role="alert">The relay does not know that token.</p>}
		<button type="submit" class="main">Log in</button>
	</form></main>;
}
