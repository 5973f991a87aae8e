// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sparkConfig } from './config.ts';
import { type SparkDistribution, sparkDistribution } from './spark-distribution.ts';

const CLASS = 'org.apache.spark.sql.hive.thriftserver.HiveThriftServer2';
/** A JVM on a machine with much else to do took 80 s. */
const START_DEADLINE_MS = 300_000;
const STOP_DEADLINE_MS = 20_000;
/** Of its output, for the message when it does not start. */
const TAIL_CHARS_MAX = 16_384;
const LISTENS = /Started ThriftHttpCLIService in http mode on port (\d+) /;
/** Said last, after everything behind the port is there. */
const STARTED = /HiveThriftServer2 started/;

/** Apache Spark's own Thrift server with Delta, as a process of its own in a temporary folder that ends with it. */
export class SparkServer {
  readonly port: number;
  readonly folder: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.folder = folder;
    this.port = port;
  }

  static async start(): Promise<SparkServer> {
    const distribution = await sparkDistribution();
    const folder = await mkdtemp(join(tmpdir(), 'clyra-spark-'));
    const child = spawn(join(distribution.home, 'bin', 'spark-submit'), argvOf(distribution, folder), {
      cwd: folder,
      env: {
        ...{ ...sparkConfig.java, HOME: folder, SPARK_HOME: distribution.home },
        ...{ SPARK_LOCAL_IP: '127.0.0.1', SPARK_LOCAL_DIRS: join(folder, 'local') },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      return new SparkServer(child, folder, await portOf(child));
    } catch (error) {
      await removed(child, folder);
      throw error;
    }
  }

  /** Where the table's files are: `<schema>.<name>` of Spark's own catalog. */
  tableFolder(schema: string, name: string): string {
    return join(this.folder, 'warehouse', `${schema}.db`, name);
  }

  /** Resolves when the process is gone and its folder with it. */
  async stop(): Promise<void> {
    await removed(this.#child, this.folder);
  }
}

function argvOf({ deltaJars }: SparkDistribution, folder: string): string[] {
  // It lives for minutes: compiling well is not worth its time. Nothing of it lies outside the folder.
  const java = `-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Djava.io.tmpdir=${folder}`;
  const conf = {
    'spark.ui.enabled': 'false',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.driver.extraJavaOptions': java,
    'spark.sql.warehouse.dir': join(folder, 'warehouse'),
    'spark.sql.shuffle.partitions': '2',
    // VACUUM lists a table's files in so many tasks, 10,000 unless told otherwise.
    'spark.sql.sources.parallelPartitionDiscovery.parallelism': '2',
    'spark.databricks.delta.snapshotPartitions': '2',
    'spark.sql.extensions': 'io.delta.sql.DeltaSparkSessionExtension',
    'spark.sql.catalog.spark_catalog': 'org.apache.spark.sql.delta.catalog.DeltaCatalog',
  };
  const hive = {
    'hive.server2.transport.mode': 'http',
    // Any that is free: the server says which.
    'hive.server2.thrift.http.port': '0',
    'hive.server2.thrift.http.path': 'cliservice',
    'hive.server2.thrift.bind.host': '127.0.0.1',
  };
  return [
    ...['--master', 'local[2]', '--driver-memory', '1g', '--class', CLASS, '--jars', deltaJars.join(',')],
    ...Object.entries(conf).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
    'spark-internal',
    ...Object.entries(hive).flatMap(([name, value]) => ['--hiveconf', `${name}=${value}`]),
  ];
}

/** By its own words: a port that is open is not yet a server that can work. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let tail = '';
    let port: number | undefined;
    const deadline = setTimeout(() => reject(new Error(`Spark is late: ${tail}`)), START_DEADLINE_MS);
    const read = (chunk: Buffer): void => {
      tail = (tail + chunk.toString('utf8')).slice(-TAIL_CHARS_MAX);
      const said = LISTENS.exec(tail)?.[1];
      if (said !== undefined) port = Number(said);
      if (port === undefined || !STARTED.test(tail)) return;
      clearTimeout(deadline);
      resolve(port);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Spark ended with ${code}: ${tail}`)));
  });
}

async function removed(child: ChildProcess, folder: string): Promise<void> {
  await ended(child);
  await rm(folder, { recursive: true, force: true });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await gone;
  clearTimeout(deadline);
}
