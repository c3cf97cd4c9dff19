import { candidates, plansFor } from "./allocator";
import type { Choice, Draw, Plan, TakenAddresses } from "./allocator";
import type { Pool } from "../config/config";
import type { WantedFamilies } from "./families";

/** What a Service needs, and what it could keep. */
export type Need = {
  readonly want: WantedFamilies;
  /** Addresses it has or had and may use, the one most worth keeping first. */
  readonly current: readonly Choice[];
  /** Where to draw new addresses from, the best pool first. */
  readonly pools: readonly Pool[];
};

/** How claims are made: for good, or, in a dry run, not at all. */
export type Claimer = {
  readonly taken: TakenAddresses;
  /** How many free addresses of a pool to leave to other processes, if there are more. */
  headStart(): number;
  /** Makes an address that may already be the Service's own its own; false if it is another's. */
  keep(choice: Choice): Promise<boolean>;
  /** Claims an address that looks free; false if somebody was faster. */
  take(choice: Choice): Promise<boolean>;
  /** Claims an address that is free but kept for another; false if somebody was faster. */
  takeOver(choice: Choice): Promise<boolean>;
  /** Free addresses of the draw that are kept for others, the earliest freed first. */
  kept(draw: Draw): readonly Choice[];
  /** Gives back an address that was taken in vain. */
  undo(choice: Choice): Promise<void>;
  /** Addresses of the draw that the Service could share with those who hold them. */
  shareable(draw: Draw): readonly Choice[];
  /** True when time is up, and what is not claimed yet must be left to the reconciler. */
  isOutOfTime(): boolean;
};

/** `isComplete`: nothing is missing, also nothing that the Service only prefers to have. */
export type Served = { readonly choices: readonly Choice[]; readonly isComplete: boolean };

/**
 * Gives a Service its addresses: keeps what it can, draws what is missing, in the same order for the
 * same input. A Service that has nothing yet gets all that it requires or nothing.
 */
export async function serve(need: Need, claimer: Claimer): Promise<Served> {
  const { families } = need.want;
  const kept = await keepCurrent(need, claimer);
  const missing = families.filter(family => kept.every(({ address }) => address.family !== family));
  if (missing.length === 0) return { choices: kept, isComplete: true };
  const drawn = await drawFirst(plansForMissing(need, kept), claimer);
  const choices = [...kept, ...drawn];
  return { choices, isComplete: choices.length === families.length };
}

async function keepCurrent({ want, current }: Need, claimer: Claimer): Promise<readonly Choice[]> {
  const kept: Choice[] = [];
  for (const family of want.families) {
    for (const choice of current.filter(({ address }) => address.family === family)) {
      if (await claimer.keep(choice)) {
        kept.push(choice);
        break;
      }
    }
  }
  return kept;
}

/** What has an address already gets the other one from the same pool, if that has one. */
function plansForMissing({ want, pools }: Need, kept: readonly Choice[]): readonly Plan[] {
  const [own] = kept;
  if (!own) return plansFor(want, pools);
  const rest = want.families.filter(family => family !== own.address.family);
  const ordered = [own.pool, ...pools.filter(pool => pool !== own.pool)];
  const open = pools.includes(own.pool) ? ordered : pools;
  return rest.map(family => [{ family, pools: open }]);
}

async function drawFirst(plans: readonly Plan[], claimer: Claimer): Promise<readonly Choice[]> {
  for (const plan of plans) {
    if (!plan.every(draw => hasOffer(draw, claimer))) continue;
    const choices = await drawPlan(plan, claimer);
    if (choices.length === plan.length) return choices;
    for (const choice of choices) await claimer.undo(choice);
    if (claimer.isOutOfTime()) break;
  }
  return [];
}

/**
 * Whether a draw can succeed, as far as is known. Taking one family's address only to give it back for
 * want of the other's would wake all who wait, this Service among them, again and again.
 */
function hasOffer(draw: Draw, claimer: Claimer): boolean {
  if (claimer.shareable(draw).length > 0) return true;
  for (const _ of candidates(draw, claimer.taken)) return true;
  return claimer.kept(draw).length > 0;
}

async function drawPlan(plan: Plan, claimer: Claimer): Promise<readonly Choice[]> {
  const choices: Choice[] = [];
  for (const draw of plan) {
    const choice = await drawOne(draw, claimer);
    if (!choice) break;
    choices.push(choice);
  }
  return choices;
}

async function drawOne(draw: Draw, claimer: Claimer): Promise<Choice | undefined> {
  for (const choice of claimer.shareable(draw)) {
    if (await claimer.keep(choice)) return choice;
  }
  // Looked for anew each time: an address that was lost counts as taken, and others are kept a distance from then.
  for (;;) {
    const [choice] = candidates(draw, claimer.taken, claimer.headStart());
    if (!choice) break;
    if (claimer.isOutOfTime()) return undefined;
    if (await claimer.take(choice)) return choice;
  }
  for (const choice of claimer.kept(draw)) {
    if (claimer.isOutOfTime()) return undefined;
    if (await claimer.takeOver(choice)) return choice;
  }
  return undefined;
}
