'use strict';
// Apart from tftp-lb.cjs because import() is a syntax error for the Node versions that tftp-lb.cjs turns away.
const fs = require('node:fs');
const path = require('node:path');
const url = require('node:url');
// A checkout runs its sources; the published package has dist alone (Node strips no types below node_modules).
const source = path.join(__dirname, '..', 'src', 'cli.ts');
const entry = fs.existsSync(source) ? source : path.join(__dirname, '..', 'dist', 'cli.js');
void import(url.pathToFileURL(entry).href);
