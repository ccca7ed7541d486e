/** Policy files as the reader gives them. */
import { toUtf8 } from '../verify/bytes';
import { type Policy, parsePolicy } from '../verify/policy';
import { Refused } from '../verify/refused';

/** Reads a policy; what is wrong with it, where it is none. */
export function readPolicy(text: string): { policy: Policy | null; problem: string | null } {
  try {
    const ended = text.endsWith('\n') ? text : `${text}\n`;
    return { policy: parsePolicy(toUtf8(ended)), problem: null };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { policy: null, problem: error.message };
  }
}
