// SPDX-License-Identifier: Apache-2.0
/**
 * The threat ids that receipts and policies may name. OWASP renumbers its lists, so an id always carries its edition:
 * `LLM02` alone has meant three things. MITRE ids are those of ATLAS 5.6 and ATT&CK.
 */
export type ThreatId = { readonly id: string; readonly name: string; readonly list: string };

/** Position n of a list is entry n+1. */
const OWASP: Readonly<Record<string, { readonly list: string; readonly names: readonly string[] }>> = {
  'LLM:2023': {
    list: 'OWASP Top 10 for LLM Applications 1.1 (2023)',
    names: [
      'Prompt Injection',
      'Insecure Output Handling',
      'Training Data Poisoning',
      'Model Denial of Service',
      'Supply Chain Vulnerabilities',
      'Sensitive Information Disclosure',
      'Insecure Plugin Design',
      'Excessive Agency',
      'Overreliance',
      'Model Theft',
    ],
  },
  'LLM:2025': {
    list: 'OWASP Top 10 for LLM Applications (2025)',
    names: [
      'Prompt Injection',
      'Sensitive Information Disclosure',
      'Supply Chain',
      'Data and Model Poisoning',
      'Improper Output Handling',
      'Excessive Agency',
      'System Prompt Leakage',
      'Vector and Embedding Weaknesses',
      'Misinformation',
      'Unbounded Consumption',
    ],
  },
  'LLM:2026': {
    list: 'OWASP Top 10 for LLM Applications (2026)',
    names: [
      'Prompt Injection',
      'Sensitive Information Disclosure',
      'Excessive Agency',
      'Supply Chain',
      'Data and Model Poisoning',
      'Unbounded Consumption',
      'Misinformation',
      'Hidden Context Exposure',
      'Vector and Embedding Weaknesses',
      'Improper Output Handling',
    ],
  },
  'ASI:2025': {
    list: 'OWASP Top 10 for Agentic Applications (December 2025)',
    names: [
      'Goal Hijack',
      'Tool Misuse',
      'Identity and Privilege Abuse',
      'Supply Chain',
      'Unexpected Code Execution',
      'Memory and Context Poisoning',
      'Insecure Inter-Agent Communication',
      'Cascading Failures',
      'Human-Agent Trust Exploitation',
      'Rogue Agents',
    ],
  },
  'API:2023': {
    list: 'OWASP API Security Top 10 (2023)',
    names: [
      'Broken Object Level Authorization',
      'Broken Authentication',
      'Broken Object Property Level Authorization',
      'Unrestricted Resource Consumption',
      'Broken Function Level Authorization',
      'Unrestricted Access to Sensitive Business Flows',
      'Server Side Request Forgery',
      'Security Misconfiguration',
      'Improper Inventory Management',
      'Unsafe Consumption of APIs',
    ],
  },
};

const ATLAS: Readonly<Record<string, string>> = {
  'AML.T0012': 'Valid Accounts',
  'AML.T0029': 'Denial of AI Service',
  'AML.T0034': 'Cost Harvesting',
  'AML.T0034.002': 'Agentic Resource Consumption',
  'AML.T0048': 'External Harms',
  'AML.T0048.000': 'External Harms: Financial Harm',
  'AML.T0051': 'LLM Prompt Injection',
  'AML.T0051.000': 'LLM Prompt Injection: Direct',
  'AML.T0051.001': 'LLM Prompt Injection: Indirect',
  'AML.T0051.002': 'LLM Prompt Injection: Triggered',
  'AML.T0052': 'Phishing',
  'AML.T0052.000': 'Phishing: Spearphishing via Social Engineering LLM',
  'AML.T0052.001': 'Phishing: Deepfake-Assisted',
  'AML.T0053': 'AI Agent Tool Invocation',
  'AML.T0054': 'LLM Jailbreak',
  'AML.T0056': 'Extract LLM System Prompt',
  'AML.T0057': 'LLM Data Leakage',
  'AML.T0059': 'Erode Dataset Integrity',
  'AML.T0061': 'LLM Prompt Self-Replication',
  'AML.T0068': 'LLM Prompt Obfuscation',
  'AML.T0070': 'RAG Poisoning',
  'AML.T0073': 'Impersonation',
  'AML.T0077': 'LLM Response Rendering',
  'AML.T0080': 'AI Agent Context Poisoning',
  'AML.T0080.000': 'AI Agent Context Poisoning: Memory',
  'AML.T0080.001': 'AI Agent Context Poisoning: Thread',
  'AML.T0081': 'Modify AI Agent Configuration',
  'AML.T0086': 'Exfiltration via AI Agent Tool Invocation',
  'AML.T0088': 'Generate Deepfakes',
  'AML.T0091': 'Use Alternate Authentication Material',
  'AML.T0093': 'Prompt Infiltration via Public-Facing Application',
  'AML.T0094': 'Delay Execution of LLM Instructions',
  'AML.T0098': 'AI Agent Tool Credential Harvesting',
  'AML.T0099': 'AI Agent Tool Data Poisoning',
  'AML.T0101': 'Data Destruction via AI Agent Tool Invocation',
  'AML.T0109': 'AI Supply Chain Rug Pull',
  'AML.T0110': 'AI Agent Tool Poisoning',
};

const ATTACK: Readonly<Record<string, string>> = {
  T1059: 'Command and Scripting Interpreter',
  'T1059.001': 'Command and Scripting Interpreter: PowerShell',
  'T1059.007': 'Command and Scripting Interpreter: JavaScript',
  T1078: 'Valid Accounts',
  T1098: 'Account Manipulation',
  T1110: 'Brute Force',
  T1190: 'Exploit Public-Facing Application',
  T1195: 'Supply Chain Compromise',
  T1485: 'Data Destruction',
  T1499: 'Endpoint Denial of Service',
  T1534: 'Internal Spearphishing',
  T1552: 'Unsecured Credentials',
  'T1552.001': 'Unsecured Credentials: Credentials In Files',
  'T1552.004': 'Unsecured Credentials: Private Keys',
  'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
  'T1565.001': 'Data Manipulation: Stored Data Manipulation',
  T1566: 'Phishing',
  T1567: 'Exfiltration Over Web Service',
  T1598: 'Phishing for Information',
  T1621: 'Multi-Factor Authentication Request Generation',
  T1656: 'Impersonation',
  T1657: 'Financial Theft',
};

function entries(): ThreatId[] {
  const owasp = Object.entries(OWASP).flatMap(([key, { list, names }]) => {
    const [prefix, edition] = key.split(':');
    return names.map((name, index) => ({ id: `${prefix}${padded(prefix, index + 1)}:${edition}`, name, list }));
  });
  const mitre = (list: string, names: Readonly<Record<string, string>>): ThreatId[] =>
    Object.entries(names).map(([id, name]) => ({ id, name, list }));
  return [...owasp, ...mitre('MITRE ATLAS 5.6', ATLAS), ...mitre('MITRE ATT&CK', ATTACK)];
}

/** OWASP writes `API1:2023` but `LLM01:2026` and `ASI01`. */
function padded(prefix: string | undefined, position: number): string {
  return prefix === 'API' ? String(position) : String(position).padStart(2, '0');
}

export const THREAT_REGISTRY: ReadonlyMap<string, ThreatId> = new Map(entries().map((entry) => [entry.id, entry]));

export function isThreatId(id: string): boolean {
  return THREAT_REGISTRY.has(id);
}
