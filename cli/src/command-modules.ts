// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandHost } from './context.ts';

export type AddCommand = (program: Command, host: CommandHost) => void;

export type CommandModule = {
  /** What it adds to the program. */
  readonly names: readonly string[];
  /** It speaks of the other commands: with it all are loaded. */
  readonly isAboutAll?: true;
  readonly load: () => Promise<readonly AddCommand[]>;
};

/** Every command, in the order of the help. */
export const COMMAND_MODULES: readonly CommandModule[] = [
  { names: ['up'], load: async () => [(await import('./commands/up.ts')).addUpCommand] },
  { names: ['down'], load: async () => [(await import('./commands/down.ts')).addDownCommand] },
  { names: ['status'], load: async () => [(await import('./commands/status.ts')).addStatusCommand] },
  { names: ['quickstart'], load: async () => [(await import('./commands/quickstart.ts')).addQuickstartCommand] },
  { names: ['topics'], load: async () => [(await import('./commands/topics.ts')).addTopicsCommand] },
  { names: ['tenant'], load: async () => [(await import('./commands/tenant.ts')).addTenantCommand] },
  { names: ['source'], load: async () => [(await import('./commands/source.ts')).addSourceCommand] },
  { names: ['guard'], load: async () => [(await import('./commands/guard.ts')).addGuardCommand] },
  { names: ['snapshot'], load: async () => [(await import('./commands/snapshot.ts')).addSnapshotCommand] },
  { names: ['diff'], load: async () => [(await import('./commands/diff.ts')).addDiffCommand] },
  { names: ['policy'], load: async () => [(await import('./commands/policy.ts')).addPolicyCommand] },
  { names: ['kill-switch'], load: async () => [(await import('./commands/kill-switch.ts')).addKillSwitchCommand] },
  {
    names: ['approval', 'emergency'],
    load: async (): Promise<readonly AddCommand[]> => {
      const { addApprovalCommand, addEmergencyCommand } = await import('./commands/approval.ts');
      return [addApprovalCommand, addEmergencyCommand];
    },
  },
  { names: ['run'], load: async () => [(await import('./commands/run.ts')).addRunCommand] },
  { names: ['change'], load: async () => [(await import('./commands/change.ts')).addChangeCommand] },
  { names: ['explain'], load: async () => [(await import('./commands/explain.ts')).addExplainCommand] },
  { names: ['shadow'], load: async () => [(await import('./commands/shadow.ts')).addShadowCommand] },
  { names: ['verify'], load: async () => [(await import('./commands/verify.ts')).addVerifyCommand] },
  { names: ['replay'], load: async () => [(await import('./commands/replay.ts')).addReplayCommand] },
  { names: ['replay-kit'], load: async () => [(await import('./commands/replay-kit.ts')).addReplayKitCommand] },
  { names: ['conformance'], load: async () => [(await import('./commands/conformance.ts')).addConformanceCommand] },
  { names: ['inspect'], load: async () => [(await import('./commands/inspect.ts')).addInspectCommand] },
  { names: ['fsck'], load: async () => [(await import('./commands/fsck.ts')).addFsckCommand] },
  { names: ['prove', 'consistency'], load: async () => [(await import('./commands/proof.ts')).addProofCommands] },
  { names: ['export'], load: async () => [(await import('./commands/export.ts')).addExportCommand] },
  { names: ['disclose'], load: async () => [(await import('./commands/disclose.ts')).addDiscloseCommand] },
  { names: ['redact'], load: async () => [(await import('./commands/redact.ts')).addRedactCommand] },
  { names: ['trust'], load: async () => [(await import('./commands/trust.ts')).addTrustCommand] },
  { names: ['keys'], load: async () => [(await import('./commands/keys.ts')).addKeysCommand] },
  { names: ['witness'], load: async () => [(await import('./commands/witness.ts')).addWitnessCommand] },
  {
    names: ['reference'],
    isAboutAll: true,
    load: async () => [(await import('./commands/reference.ts')).addReferenceCommand],
  },
];
