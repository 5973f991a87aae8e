// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { regexRisk } from './regex-risk.ts';

describe('regexRisk', () => {
  it.each([
    '^[a-z][a-z0-9_]{0,63}$',
    '^https://[a-z0-9.-]{1,100}/',
    '^(?:[a-z]+\\.)*[a-z]{2,10}$',
    '^\\d{3}-\\d{4}$',
    '^[A-Z]{3}$',
    '^(?:EUR|USD)$',
    '^[^@]+@[^@]+$',
    '^a+b+c*$',
    'refund',
    '^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\\.[a-z0-9-]{1,63})*$',
  ])('lets %s pass', (pattern) => {
    expect(regexRisk(pattern)).toBeUndefined();
  });

  it.each([
    ['^(a+)+$', 'ends in a repetition'],
    ['^(a*)*$', 'may be empty'],
    ['^(a|a)*$', 'begin with the same character'],
    ['^(?:a|[ab])+$', 'begin with the same character'],
    ['^(?:\\w+\\s?)*$', 'ends in a repetition'],
    ['^\\d+\\d+$', 'follow each other'],
    ['^.*.*=.*$', 'follow each other'],
    ['^[a-z]+[0-9]?[a-z]+$', 'follow each other'],
    ['^([a-z0-9]+-?)+$', 'ends in a repetition'],
    ['^(.*),(.*),(.*)$', 'follow each other'],
    ['\\s+$', 'not anchored'],
    ['.*foo', 'not anchored'],
    ['^(a)\\1+$', 'refers back'],
  ])('says of %s that it %s', (pattern, words) => {
    expect(regexRisk(pattern)).toContain(words);
  });
});
