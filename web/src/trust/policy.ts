/** Policy files as the reader gives them. */
import { toUtf8 } from '../verify/bytes';
import { type Policy, parsePolicy } from '../verify/policy';
import { Refused, attempt } from '../verify/refused';

/** Reads a policy; what is wrong with it, where it is none. */
export function readPolicy(text: string): { policy: Policy | null; problem: string | null } {
  const ended = text.endsWith('\n') ? text : `${text}\n`;
  const policy = attempt(() => parsePolicy(toUtf8(ended)));
  return policy instanceof Refused ? { policy: null, problem: policy.message } : { policy, problem: null };
}
