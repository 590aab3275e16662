#!/usr/bin/env node
'use strict';
// Plain old JavaScript without dependencies, so that even a very old Node can read it and say what is wrong.
var needed = [24, 12];
var have = process.versions.node.split('.').map(Number);
if (have[0] < needed[0] || (have[0] === needed[0] && have[1] < needed[1])) {
  process.stderr.write(
    'tftp-lb: needs Node.js ' + needed.join('.') + ' or newer, but this is ' + process.versions.node + '\n',
  );
  process.exitCode = 2;
} else {
  require('./load.cjs');
}
