// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { addApprovalCommand, addEmergencyCommand } from './commands/approval.ts';
import { addChangeCommand } from './commands/change.ts';
import { addConformanceCommand } from './commands/conformance.ts';
import { addDiffCommand } from './commands/diff.ts';
import { addDiscloseCommand } from './commands/disclose.ts';
import { addDownCommand } from './commands/down.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addExportCommand } from './commands/export.ts';
import { addFsckCommand } from './commands/fsck.ts';
import { addGuardCommand } from './commands/guard.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addKeysCommand } from './commands/keys.ts';
import { addKillSwitchCommand } from './commands/kill-switch.ts';
import { addPolicyCommand } from './commands/policy.ts';
import { addProofCommands } from './commands/proof.ts';
import { addQuickstartCommand } from './commands/quickstart.ts';
import { addRedactCommand } from './commands/redact.ts';
import { addReferenceCommand } from './commands/reference.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addReplayKitCommand } from './commands/replay-kit.ts';
import { addRunCommand } from './commands/run.ts';
import { addShadowCommand } from './commands/shadow.ts';
import { addSnapshotCommand } from './commands/snapshot.ts';
import { addSourceCommand } from './commands/source.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTenantCommand } from './commands/tenant.ts';
import { addTopicsCommand } from './commands/topics.ts';
import { addTrustCommand } from './commands/trust.ts';
import { addUpCommand } from './commands/up.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWitnessCommand } from './commands/witness.ts';
import { type CommandHost, contextOf, type GlobalOptions, type Machine } from './context.ts';
import { EXIT_HELP } from './exit-codes.ts';

/** The command `clyra`. Commander's own exits become errors, so that the program runs inside a test. */
export function cliProgram(machine: Machine, exit: (code: number) => void): Command {
  const program = new Command('clyra')
    .description('Data change firewall and flight recorder: guards changes, keeps evidence of every one.')
    .option('--data-dir <dir>', 'folder of the local installation (CLYRA_DATA_DIR; default .clyra)')
    .option('--intake <url>', 'address of intake (CLYRA_INTAKE_URL; default: what `up` started)')
    .option('--json', 'print one JSON value for machines instead of text for people')
    .addHelpText('after', EXIT_HELP)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => machine.stdout.write(text),
      writeErr: (text) => machine.stderr.write(text),
    });
  const host: CommandHost = { context: () => contextOf(machine, program.opts<GlobalOptions>()), exit };
  for (const add of COMMANDS) add(program, host);
  return program;
}

const COMMANDS: readonly ((program: Command, host: CommandHost) => void)[] = [
  addUpCommand,
  addDownCommand,
  addStatusCommand,
  addQuickstartCommand,
  addTopicsCommand,
  addTenantCommand,
  addSourceCommand,
  addGuardCommand,
  addSnapshotCommand,
  addDiffCommand,
  addPolicyCommand,
  addKillSwitchCommand,
  addApprovalCommand,
  addEmergencyCommand,
  addRunCommand,
  addChangeCommand,
  addExplainCommand,
  addShadowCommand,
  addVerifyCommand,
  addReplayCommand,
  addReplayKitCommand,
  addConformanceCommand,
  addInspectCommand,
  addFsckCommand,
  addProofCommands,
  addExportCommand,
  addDiscloseCommand,
  addRedactCommand,
  addTrustCommand,
  addKeysCommand,
  addWitnessCommand,
  addReferenceCommand,
];
