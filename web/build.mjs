// node build.mjs FOLDER: the console as four files, each named in full, nothing from elsewhere.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync } from 'node:fs';

const folder = process.argv[2];

mkdirSync(folder, { recursive: true });
await build({
	entryPoints: { console: 'src/main.tsx' },
	outdir: folder,
	bundle: true,
	minify: true,
	target: ['chrome100', 'firefox100', 'safari15'],
	jsx: 'automatic',
	jsxImportSource: 'preact',
	legalComments: 'inline',
	logLevel: 'error',
});
for (const name of ['index.html', 'icon.svg'])
	copyFileSync(`src/${name}`, `${folder}/${name}`);
