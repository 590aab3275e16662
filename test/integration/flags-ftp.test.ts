/** What FTP options do to sessions. */
import { optionInfos } from '../../src/config/schema.ts';
import { describeFlags } from './flags.ts';

const untested = optionInfos.filter(({ group }) => group === 'FTP').map(({ key }) => key);

describeFlags('FTP', {}, untested);
