"""Every table, as numbered steps in the order they run. A step that was released is never changed again.

Type words are filled in per engine: {ID} a growing integer key, {INT} 64 bits, {REAL}, {TEXT}, {BLOB},
{STRICT}. Times are REAL unix seconds, money is integer nano-dollars, JSON is ASCII text, truth is 0 or 1.
Statements of a step are separated by semicolons, which stand nowhere else. A statement in capitals, such as
{CHUNK_WORDS}, is the engine's own, and may be none.

WORDS_OF and NO_WORDS declare where people's words stand, so that forgetting a person can find all of them; a
test fails when a table is added to neither.
"""

from __future__ import annotations

import re

INBOX = """
create table inbox (
    seq {ID},
    key {TEXT} not null unique,
    conversation {TEXT} not null,
    kind {TEXT} not null,
    team {TEXT} not null,
    person {TEXT} not null,
    payload {TEXT},
    state {TEXT} not null default 'new',
    attempts {INT} not null default 0,
    running {INT} not null default 0,
    tries {INT} not null default 0,
    crashes {INT} not null default 0,
    due_at {REAL} not null,
    received_at {REAL} not null,
    done_at {REAL},
    error {TEXT} not null default ''
){STRICT};
create index inbox_waiting on inbox (conversation, seq) where state = 'new';
create index inbox_running on inbox (conversation) where running = 1;
create index inbox_parked on inbox (seq) where state = 'parked';
create index inbox_done on inbox (done_at) where state = 'done'
"""

REPLIES = """
create table replies (
    id {TEXT} primary key,
    job {INT} not null,
    conversation {TEXT} not null,
    team {TEXT} not null,
    channel {TEXT} not null,
    thread {TEXT} not null,
    asker {TEXT} not null,
    question {TEXT},
    state {TEXT} not null default 'opening',
    payload {TEXT},
    messages {TEXT} not null default '[]',
    retried_at {REAL},
    begun_at {REAL} not null,
    sent_at {REAL}
){STRICT};
create index replies_unfinished on replies (begun_at) where sent_at is null;
create index replies_conversation on replies (conversation);
create index replies_retryable on replies (sent_at) where question is not null;
create index replies_asker on replies (team, asker);
create table feedback (
    reply {TEXT} not null,
    team {TEXT} not null,
    person {TEXT} not null,
    verdict {INT} not null,
    at {REAL} not null,
    primary key (reply, person)
){STRICT};
create index feedback_person on feedback (team, person)
"""

CONVERSATIONS = """
create table conversations (
    key {TEXT} primary key,
    team {TEXT} not null,
    turns {INT} not null default 0,
    erasures {INT} not null default 0,
    last_at {REAL} not null,
    forgotten_at {REAL}
){STRICT};
create table messages (
    seq {ID},
    conversation {TEXT} not null,
    team {TEXT} not null,
    channel {TEXT} not null,
    message {TEXT} not null,
    role {TEXT} not null,
    person {TEXT} not null,
    text {TEXT} not null,
    tokens {INT} not null,
    whole {INT} not null,
    at {REAL} not null,
    unique (team, channel, message)
){STRICT};
create index messages_conversation on messages (conversation, seq);
create index messages_person on messages (team, person);
create table summaries (
    conversation {TEXT} not null,
    upto {INT} not null,
    text {TEXT} not null,
    tokens {INT} not null,
    at {REAL} not null,
    primary key (conversation, upto)
){STRICT};
create table tombstones (
    digest {TEXT} primary key,
    at {REAL} not null
){STRICT}
"""

LEARNED = """
create table learned_refusals (
    model {TEXT} not null,
    parameter {TEXT} not null,
    at {REAL} not null,
    primary key (model, parameter)
){STRICT};
create table learned_ratios (
    model {TEXT} primary key,
    ratio {REAL} not null,
    at {REAL} not null
){STRICT}
"""

# The ledger's rows stay when a person's words are forgotten: they hold amounts, no content.
LEDGER = """
create table ledger (
    id {INT} primary key,
    team {TEXT} not null,
    channel {TEXT} not null,
    person {TEXT} not null,
    conversation {TEXT} not null,
    kind {TEXT} not null,
    model {TEXT} not null,
    tier {TEXT} not null default '',
    attempt {INT} not null,
    day {TEXT} not null,
    opened_at {REAL} not null,
    settled_at {REAL},
    latency_ms {INT},
    outcome {TEXT} not null default 'open',
    reserved {INT},
    cost {INT},
    reason {TEXT} not null default '',
    estimated {INT} not null default 0,
    input_tokens {INT} not null default 0,
    cached_tokens {INT} not null default 0,
    cache_write_tokens {INT} not null default 0,
    output_tokens {INT} not null default 0,
    input_audio_tokens {INT} not null default 0,
    audio_seconds {REAL} not null default 0,
    images {INT} not null default 0
){STRICT};
create index ledger_open on ledger (id) where outcome = 'open';
create index ledger_opened_at on ledger (opened_at);
create table usage_days (
    team {TEXT} not null,
    day {TEXT} not null,
    channel {TEXT} not null,
    person {TEXT} not null,
    model {TEXT} not null,
    kind {TEXT} not null,
    requests {INT} not null,
    input_tokens {INT} not null,
    cached_tokens {INT} not null,
    cache_write_tokens {INT} not null,
    output_tokens {INT} not null,
    audio_seconds {REAL} not null,
    images {INT} not null,
    estimated {INT} not null,
    cost {INT} not null,
    unpriced {INT} not null,
    wasted {INT} not null,
    primary key (team, day, channel, person, model, kind)
){STRICT};
create table usage_months (
    team {TEXT} not null,
    month {TEXT} not null,
    dim {TEXT} not null,
    channel {TEXT} not null,
    value {TEXT} not null,
    requests {INT} not null,
    input_tokens {INT} not null,
    cached_tokens {INT} not null,
    cache_write_tokens {INT} not null,
    output_tokens {INT} not null,
    audio_seconds {REAL} not null,
    images {INT} not null,
    estimated {INT} not null,
    cost {INT} not null,
    unpriced {INT} not null,
    wasted {INT} not null,
    primary key (team, month, dim, channel, value)
){STRICT};
create table budgets (
    id {ID},
    team {TEXT} not null,
    scope {TEXT} not null,
    target {TEXT} not null,
    period {TEXT} not null,
    cap {INT} not null,
    warn_percent {INT} not null,
    degrade {INT} not null,
    owner {TEXT} not null,
    unique (team, scope, target, period)
){STRICT};
create table budget_use (
    budget {INT} not null,
    target {TEXT} not null,
    first {TEXT} not null,
    spent {INT} not null,
    reserved {INT} not null default 0,
    warned {INT} not null default 0,
    primary key (budget, target, first)
){STRICT};
create index budget_use_due on budget_use (budget) where warned = 1;
create table budget_holds (
    entry {INT} not null,
    budget {INT} not null,
    target {TEXT} not null,
    first {TEXT} not null,
    amount {INT} not null,
    primary key (entry, budget)
){STRICT};
create table budget_overrides (
    id {ID},
    budget {INT} not null,
    cap {INT} not null,
    until_at {REAL} not null,
    person {TEXT} not null,
    reason {TEXT} not null,
    made_at {REAL} not null
){STRICT};
create index budget_overrides_budget on budget_overrides (budget, until_at)
"""

VOICE = """
create table recordings (
    id {TEXT} primary key,
    team {TEXT} not null,
    conversation {TEXT} not null,
    person {TEXT} not null,
    card {TEXT} not null
){STRICT};
create index recordings_person on recordings (team, person);
create index recordings_conversation on recordings (conversation);
create table recording_parts (
    recording {TEXT} not null,
    task {TEXT} not null,
    number {INT} not null,
    team {TEXT} not null,
    conversation {TEXT} not null,
    person {TEXT} not null,
    heard {TEXT} not null,
    cost {INT},
    primary key (recording, task, number)
){STRICT};
create table recording_minutes (
    recording {TEXT} primary key,
    team {TEXT} not null,
    person {TEXT} not null,
    length_s {REAL} not null,
    begun_at {REAL} not null
){STRICT};
create index recording_minutes_team on recording_minutes (team, begun_at)
"""

GUARD = """
create table guard_policies (
    team {TEXT} not null,
    channel {TEXT} not null,
    policy {TEXT} not null,
    changed_by {TEXT} not null,
    changed_at {REAL} not null,
    primary key (team, channel)
){STRICT};
create table guard_examples (
    id {ID},
    team {TEXT} not null,
    channel {TEXT} not null,
    text {TEXT} not null,
    on_topic {INT} not null,
    source {TEXT} not null,
    person {TEXT} not null,
    conversation {TEXT} not null,
    added_at {REAL} not null,
    unique (team, channel, text)
){STRICT};
create table guard_models (
    team {TEXT} not null,
    channel {TEXT} not null,
    version {INT} not null,
    model {BLOB} not null,
    embedder {TEXT} not null,
    examples {INT} not null,
    report {TEXT} not null,
    in_use {INT} not null,
    trained_at {REAL} not null,
    primary key (team, channel, version)
){STRICT};
create table guard_verdicts (
    id {ID},
    team {TEXT} not null,
    channel {TEXT} not null,
    conversation {TEXT} not null,
    person {TEXT} not null,
    message {TEXT} not null,
    text {TEXT} not null,
    on_topic {INT} not null,
    rung {TEXT} not null,
    probability {REAL},
    threshold {REAL},
    reason {TEXT} not null,
    cost {INT},
    action {TEXT} not null,
    shadow {INT} not null,
    version {INT},
    judged_at {REAL} not null,
    label {INT},
    labelled_by {TEXT},
    labelled_at {REAL}
){STRICT};
create index guard_verdicts_week on guard_verdicts (team, judged_at);
create index guard_verdicts_message on guard_verdicts (team, channel, message);
create index guard_verdicts_conversation on guard_verdicts (conversation);
create index guard_verdicts_person on guard_verdicts (team, person);
create table guard_unanswered (
    id {ID},
    team {TEXT} not null,
    channel {TEXT} not null,
    conversation {TEXT} not null,
    person {TEXT} not null,
    question {TEXT} not null,
    nearest {TEXT} not null,
    asked_at {REAL} not null,
    closed_at {REAL}
){STRICT};
create index guard_unanswered_open on guard_unanswered (team, channel, id) where closed_at is null;
create table guard_vectors (
    embedder {TEXT} not null,
    digest {TEXT} not null,
    vector {BLOB} not null,
    made_at {REAL} not null,
    primary key (embedder, digest)
){STRICT}
"""

# Who may decide about costs, what they decided, and who wants to hear of it every week.
OWNERS = """
create table channel_owners (
    team {TEXT} not null,
    channel {TEXT} not null,
    person {TEXT} not null,
    named_by {TEXT} not null,
    at {REAL} not null,
    primary key (team, channel, person)
){STRICT};
create table budget_changes (
    id {ID},
    team {TEXT} not null,
    budget {INT} not null,
    act {TEXT} not null,
    scope {TEXT} not null,
    target {TEXT} not null,
    period {TEXT} not null,
    cap {INT} not null,
    until_at {REAL},
    reason {TEXT} not null default '',
    person {TEXT} not null,
    at {REAL} not null
){STRICT};
create index budget_changes_team on budget_changes (team, id);
create table digests (
    team {TEXT} not null,
    person {TEXT} not null,
    week {TEXT} not null,
    primary key (team, person)
){STRICT}
"""

GUARD_REPLIES = """
alter table guard_verdicts add column reply {TEXT};
create index guard_verdicts_reply on guard_verdicts (reply) where reply is not null
"""

GUARD_APPEALS = """
alter table guard_verdicts add column appealed_by {TEXT};
alter table guard_verdicts add column appealed_at {REAL}
"""

CLIPS = """
create table clips (
    seq {ID},
    id {TEXT} not null unique,
    recording {TEXT} not null,
    team {TEXT} not null,
    channel {TEXT} not null,
    conversation {TEXT} not null,
    message {TEXT} not null,
    person {TEXT} not null,
    asked {TEXT} not null,
    shown {TEXT} not null,
    file {TEXT} not null
){STRICT};
create index clips_message on clips (team, channel, message);
create index clips_conversation on clips (conversation);
create index clips_person on clips (team, person);
create table channel_wishes (
    team {TEXT} not null,
    channel {TEXT} not null,
    name {TEXT} not null,
    value {TEXT} not null,
    changed_by {TEXT} not null,
    changed_at {REAL} not null,
    primary key (team, channel, name)
){STRICT}
"""

# Who changed what and who erased what; and what age is told by when something is erased for its age.
AUDIT = """
create table audit (
    seq {ID},
    team {TEXT} not null,
    person {TEXT} not null,
    act {TEXT} not null,
    about {TEXT} not null,
    detail {TEXT} not null,
    at {REAL} not null,
    seal {TEXT} not null
){STRICT};
create index messages_age on messages (at);
create index feedback_age on feedback (at);
alter table recordings add column made_at {REAL} not null default 0;
update recordings set made_at = coalesce(
    (select begun_at from recording_minutes where recording = recordings.id),
    (select max(cast(message as double precision)) from clips where recording = recordings.id), 0);
create index recordings_age on recordings (made_at);
create index guard_verdicts_age on guard_verdicts (judged_at);
create index guard_unanswered_age on guard_unanswered (asked_at)
"""

# How an answer came about, in numbers: bot/conversation/account.py's JSON.
ACCOUNTS = "alter table replies add column account text"

# What a crash may leave in Slack: `sending`, something of the reply may stand there; `session`, its thread
# may show that somebody is at work.
LEFT_IN_SLACK = """
alter table replies add column sending {INT} not null default 0;
alter table replies add column session {INT} not null default 0;
create index replies_session on replies (id) where session = 1
"""

# What a gateway said it billed (`reported`), beside what our prices make of the same request (`listed`); and
# models whose requests a budget could not hold, because no price of them is known. `told`: 1, its owner was;
# 2, a price has come since.
REPORTED = """
alter table ledger add column reported {INT} not null default 0;
alter table ledger add column listed {INT};
create index ledger_reported on ledger (opened_at) where reported = 1;
create table budget_gaps (
    budget {INT} not null,
    model {TEXT} not null,
    first {TEXT} not null,
    told {INT} not null default 0,
    primary key (budget, model)
){STRICT};
create index budget_gaps_due on budget_gaps (budget) where told = 0
"""

# Threads in which nothing is answered but mentions, because somebody there wanted that.
QUIET_THREADS = """
create table quiet_threads (
    conversation {TEXT} primary key,
    team {TEXT} not null
){STRICT}
"""

# Since when, so that the wish goes with the last sign of life of its thread.
QUIET_SINCE = "alter table quiet_threads add column at {REAL} not null default 0"

# Who was told that they talk with an AI.
DISCLOSURES = """
create table disclosures (
    team {TEXT} not null,
    person {TEXT} not null,
    occasion {TEXT} not null,
    channel {TEXT} not null,
    source {TEXT} not null,
    at {REAL} not null,
    primary key (team, person, occasion)
){STRICT}
"""

# What model servers list, with the days on which their models end, and who was told of that.
ENDINGS = """
create table model_endings (
    address {TEXT} not null,
    model {TEXT} not null,
    ends {TEXT} not null,
    seen_at {REAL} not null,
    primary key (address, model)
){STRICT};
create table ending_notices (
    team {TEXT} not null,
    channel {TEXT} not null,
    model {TEXT} not null,
    ends {TEXT} not null,
    days {INT} not null,
    at {REAL} not null,
    primary key (team, channel, model, ends, days)
){STRICT}
"""

# After how many tries in vain, and when, a conversation may be summarised again.
FAILED_SUMMARIES = """
alter table conversations add column failed_summaries {INT} not null default 0;
alter table conversations add column summarise_after {REAL} not null default 0
"""

# Workspaces that the app was removed from, while what people said there is still to be erased.
REMOVED_WORKSPACES = """
create table removed_workspaces (
    team {TEXT} primary key,
    at {REAL} not null
){STRICT}
"""

# Digests of the words that a verdict is about (bot/guard/coverage.py).
GUARD_COVERS = "alter table guard_verdicts add column covers {TEXT} not null default ''"

# How much a model reads, as its server said when it refused more.
LEARNED_LIMITS = """
create table learned_limits (
    model {TEXT} primary key,
    tokens {INT} not null,
    at {REAL} not null
){STRICT}
"""

# Where words come from that may train something: storage/guard/examples.py says which may. Words of outsiders
# were kept before only where an operator opened Parley to them.
ORIGINS = """
alter table guard_verdicts add column origin {TEXT} not null default 'slack';
alter table guard_examples add column origin {TEXT} not null default 'slack';
update guard_examples set origin = 'file' where source <> 'feedback'
"""

# Commands, buttons and forms that were carried out in the last minutes.
TAKEN_DELIVERIES = """
create table taken_deliveries (
    digest {TEXT} primary key,
    at {REAL} not null
){STRICT}
"""

# The newest post of each thread that asked nothing of us as it came, because nobody had called us there: a
# mention that was delivered late may stand before it. Kept as long as Slack may deliver again.
PASSED_OVER = """
create table passed_over (
    conversation {TEXT} primary key,
    team {TEXT} not null,
    message {TEXT} not null,
    at {REAL} not null
){STRICT};
create index passed_over_at on passed_over (at)
"""

# Process deaths while a job ran beside others, any of which may have been at fault.
SUSPICIONS = """
alter table inbox add column suspicions {INT} not null default 0
"""

# The processes on a database that several share, and which of them is at work on what. A number that is not
# in `workers` is that of a process that died; 0 is the one that has a file for itself.
WORKERS = """
create table workers (
    id {ID},
    slot {INT} not null,
    process {TEXT} not null,
    begun_at {REAL} not null,
    seen_at {REAL} not null
){STRICT};
alter table inbox add column worker {INT} not null default 0;
alter table ledger add column worker {INT} not null default 0
"""

# What processes say to each other, until it is read; which of them has which duty. And that somebody pressed
# stop, for whoever goes on with the reply.
WORKER_MESSAGES = """
create table worker_messages (
    id {ID},
    worker {INT} not null,
    topic {TEXT} not null,
    text {TEXT} not null
){STRICT};
create index worker_messages_worker on worker_messages (worker);
create table duties (
    name {TEXT} primary key,
    worker {INT} not null,
    since {REAL} not null
){STRICT};
alter table replies add column stopped {INT} not null default 0
"""

# What each process on a database holds of the limits they share, and when the next of them may post to a
# channel. Lost with the database's last seconds, they are made again.
LIMITS = """
create table limit_holdings (
    worker {INT} primary key,
    holdings {TEXT} not null,
    at {REAL} not null
){STRICT};
create table channel_turns (
    place {TEXT} primary key,
    worker {INT} not null,
    free_at {REAL} not null,
    asked_at {REAL} not null
){STRICT}
"""

# Documents, cut into chunks; `words` is what a chunk is found by (bot/knowledge/terms.py), `reach` from
# where. What an engine finds words with is its own: full_text.py of each. `document_words` counts in how many
# chunks of a workspace a word stands, and holds its letters by threes, by which words that are nearly alike
# are found. `document_vectors` has several of a chunk: that of all of it, part 0, and one of each sentence;
# its index holds the signs, which are read all at once, without the vectors.
DOCUMENT_DAYS = """
create table document_days (
    team {TEXT} not null,
    channel {TEXT} not null,
    day {TEXT} not null,
    answered {INT} not null default 0,
    refused {INT} not null default 0,
    general {INT} not null default 0,
    primary key (team, channel, day)
){STRICT}
"""

DOCUMENTS = """
create table documents (
    seq {ID},
    id {TEXT} not null unique,
    team {TEXT} not null,
    audience {TEXT} not null,
    channel {TEXT} not null,
    conversation {TEXT} not null,
    person {TEXT} not null,
    authors {TEXT} not null default '',
    name {TEXT} not null,
    title {TEXT} not null,
    source {TEXT} not null,
    file {TEXT} not null,
    link {TEXT} not null,
    origin {TEXT} not null default '',
    kind {TEXT} not null,
    digest {TEXT} not null,
    state {TEXT} not null default 'waiting',
    hidden {TEXT} not null default '',
    problem {TEXT} not null default '',
    pages {INT} not null default 0,
    pages_read {INT} not null default 0,
    skipped {TEXT} not null default '[]',
    chunks {INT} not null default 0,
    words {INT} not null default 0,
    characters {INT} not null default 0,
    embedded {INT} not null default 0,
    embedder {TEXT} not null default '',
    replaces {TEXT} not null default '',
    card {TEXT} not null default '',
    added_at {REAL} not null,
    searchable_at {REAL}
){STRICT};
create index documents_place on documents (team, channel);
create index documents_file on documents (team, file);
create index documents_person on documents (team, person);
create index documents_conversation on documents (conversation);
create index documents_unfinished on documents (seq) where state in ('waiting', 'reading');
create table document_chunks (
    id {ID},
    document {TEXT} not null,
    team {TEXT} not null,
    number {INT} not null,
    reach {TEXT} not null,
    heading {TEXT} not null,
    page {INT} not null,
    place {TEXT} not null,
    start_at {INT} not null,
    end_at {INT} not null,
    text {TEXT} not null,
    words {TEXT} not null,
    unique (document, number)
){STRICT};
create index document_chunks_reach on document_chunks (reach);
{CHUNK_WORDS};
{CHUNK_WORDS_INDEX};
{CHUNK_WORDS_ADDED};
{CHUNK_WORDS_CHANGED};
{CHUNK_WORDS_GONE};
create table document_vectors (
    chunk {INT} not null,
    document {TEXT} not null,
    team {TEXT} not null,
    embedder {TEXT} not null,
    part {INT} not null,
    code {BLOB} not null,
    vector {BLOB} not null,
    primary key (chunk, embedder, part)
){STRICT};
create index document_vectors_codes on document_vectors (document, embedder, chunk, part, code);
create table document_words (
    id {ID},
    team {TEXT} not null,
    word {TEXT} not null,
    uses {INT} not null,
    letters {TEXT} not null,
    unique (team, word)
){STRICT};
{WORD_LETTERS};
{WORD_LETTERS_INDEX};
{WORD_LETTERS_ADDED};
{WORD_LETTERS_GONE}
"""

# What came with a message and may be looked at again: pictures and documents, as JSON of where they are.
MESSAGE_FILES = "alter table messages add column files {TEXT} not null default ''"

# A follow-up as a model wrote it to search with: it stands with the answer that it was written for.
SEARCHED = """
alter table messages add column searched {TEXT} not null default '';
create index messages_searched on messages (conversation) where searched <> ''
"""

# Notes are documents that somebody asked to have remembered, perhaps until a day on which they are asked
# again.
NOTES = """
alter table documents add column look_again_at {REAL};
create index documents_look_again on documents (look_again_at) where look_again_at is not null
"""

# Which refusal a question got, which others mean the same, and what became of it.
UNANSWERED = """
alter table guard_unanswered add column message {TEXT} not null default '';
alter table guard_unanswered add column reply {TEXT} not null default '';
alter table guard_unanswered add column searched {TEXT} not null default '';
alter table guard_unanswered add column topic {INT} not null default 0;
alter table guard_unanswered add column wanted {INT} not null default 0;
alter table guard_unanswered add column outcome {TEXT} not null default '';
alter table guard_unanswered add column told_at {REAL};
create index guard_unanswered_message on guard_unanswered (team, channel, message);
create index guard_unanswered_reply on guard_unanswered (team, reply) where reply <> '';
create index guard_unanswered_told on guard_unanswered (team, told_at) where told_at is not null
"""

# Whom a channel's owner named to be asked what documents do not answer, of which questions they were asked in
# the thread, and the post that is the answer.
ASKED_PEOPLE = """
create table people_who_know (
    team {TEXT} not null,
    channel {TEXT} not null,
    who {TEXT} not null,
    at {REAL} not null,
    primary key (team, channel, who)
){STRICT};
alter table guard_unanswered add column people_asked_at {REAL};
alter table guard_unanswered add column answer {TEXT} not null default '';
create index guard_unanswered_people on guard_unanswered (team, conversation)
    where people_asked_at is not null
"""

# In which document the nearest thing known to an unanswered question stands: it is named by a title, a
# heading, or the author of a note.
NEAREST_DOCUMENT = """
alter table guard_unanswered add column nearest_document {TEXT} not null default '';
create index guard_unanswered_nearest on guard_unanswered (nearest_document) where nearest_document <> ''
"""

# What owners want read from documents of one kind, how far each document is, what each piece of it yielded,
# and what people said of the values. `fields`, `checks` and `found` are JSON (bot/fields/values.py).
FIELDS = """
create table field_forms (
    id {TEXT} primary key,
    team {TEXT} not null,
    channel {TEXT} not null,
    name {TEXT} not null,
    fields {TEXT} not null,
    checks {TEXT} not null,
    every {INT} not null default 0,
    changed_by {TEXT} not null,
    changed_at {REAL} not null
){STRICT};
create index field_forms_place on field_forms (team, channel);
create table field_runs (
    id {TEXT} primary key,
    form {TEXT} not null,
    document {TEXT} not null,
    team {TEXT} not null,
    channel {TEXT} not null,
    thread {TEXT} not null default '',
    state {TEXT} not null default 'waiting',
    pieces {INT} not null default 0,
    done {INT} not null default 0,
    problem {TEXT} not null default '',
    card {TEXT} not null default '',
    asked_at {REAL} not null
){STRICT};
create index field_runs_place on field_runs (team, channel);
create index field_runs_document on field_runs (document);
create index field_runs_form on field_runs (form);
create table field_rows (
    id {TEXT} primary key,
    form {TEXT} not null,
    document {TEXT} not null,
    team {TEXT} not null,
    channel {TEXT} not null,
    piece {INT} not null,
    page {INT} not null,
    found {TEXT} not null,
    made_at {REAL} not null
){STRICT};
create index field_rows_form on field_rows (form, document);
create index field_rows_document on field_rows (document);
create table field_reviews (
    row_id {TEXT} not null,
    field {TEXT} not null,
    form {TEXT} not null,
    document {TEXT} not null,
    team {TEXT} not null,
    channel {TEXT} not null,
    person {TEXT} not null,
    state {TEXT} not null,
    text {TEXT} not null,
    value {TEXT} not null,
    page {INT} not null,
    quote {TEXT} not null,
    label {TEXT} not null,
    pattern {TEXT} not null,
    at {REAL} not null,
    primary key (row_id, field)
){STRICT};
create index field_reviews_form on field_reviews (form);
create index field_reviews_document on field_reviews (document);
create index field_reviews_person on field_reviews (team, person)
"""

# What a channel's own head over answers learns from, and its trained versions.
ANSWER_LEARNING = """
create table answer_examples (
    id {ID},
    team {TEXT} not null,
    channel {TEXT} not null,
    question {TEXT} not null,
    answerable {INT} not null,
    source {TEXT} not null,
    document {TEXT} not null,
    chunk {INT} not null,
    person {TEXT} not null,
    conversation {TEXT} not null,
    message {TEXT} not null,
    reply {TEXT} not null,
    added_at {REAL} not null,
    unique (team, channel, question, document, chunk)
){STRICT};
create index answer_examples_document on answer_examples (document);
create index answer_examples_conversation on answer_examples (conversation);
create index answer_examples_person on answer_examples (team, person);
create index answer_examples_reply on answer_examples (reply);
create table answer_models (
    team {TEXT} not null,
    channel {TEXT} not null,
    version {INT} not null,
    model {BLOB} not null,
    embedder {TEXT} not null,
    examples {INT} not null,
    report {TEXT} not null,
    in_use {INT} not null,
    trained_at {REAL} not null,
    primary key (team, channel, version)
){STRICT}
"""

# The topic of unanswered questions (storage/unanswered) that a document was added to answer; 0 for none.
REPAIRS = "alter table documents add column repairs {INT} not null default 0"

STEPS: tuple[tuple[str, str], ...] = (
    ("0001_inbox", INBOX),
    ("0002_replies", REPLIES),
    ("0003_conversations", CONVERSATIONS),
    ("0004_learned", LEARNED),
    ("0010_ledger", LEDGER),
    ("0030_voice", VOICE),
    ("0020_guard", GUARD),
    ("0031_clips", CLIPS),
    ("0011_owners", OWNERS),
    ("0021_guard_replies", GUARD_REPLIES),
    ("0022_guard_appeals", GUARD_APPEALS),
    ("0040_audit", AUDIT),
    ("0005_accounts", ACCOUNTS),
    ("0006_quiet_threads", QUIET_THREADS),
    ("0050_disclosures", DISCLOSURES),
    ("0007_quiet_since", QUIET_SINCE),
    ("0012_reported", REPORTED),
    ("0060_endings", ENDINGS),
    ("0008_failed_summaries", FAILED_SUMMARIES),
    ("0051_removed_workspaces", REMOVED_WORKSPACES),
    ("0023_guard_covers", GUARD_COVERS),
    ("0009_learned_limits", LEARNED_LIMITS),
    ("0024_origins", ORIGINS),
    ("0070_taken_deliveries", TAKEN_DELIVERIES),
    ("0013_suspicions", SUSPICIONS),
    ("0014_left_in_slack", LEFT_IN_SLACK),
    ("0015_passed_over", PASSED_OVER),
    ("0080_workers", WORKERS),
    ("0081_worker_messages", WORKER_MESSAGES),
    ("0082_limits", LIMITS),
    ("0090_documents", DOCUMENTS),
    ("0016_message_files", MESSAGE_FILES),
    ("0017_searched", SEARCHED),
    ("0101_repairs", REPAIRS),
    ("0106_document_days", DOCUMENT_DAYS),
    ("0102_notes", NOTES),
    ("0100_unanswered", UNANSWERED),
    ("0105_fields", FIELDS),
    ("0104_answer_learning", ANSWER_LEARNING),
    ("0103_asked_people", ASKED_PEOPLE),
    ("0107_nearest_document", NEAREST_DOCUMENT),
)

# Steps that take away what the version before needs: where several processes share a database, that version
# cannot run beside them (docs/scale.md).
BREAKING: frozenset[str] = frozenset()

# Tables with people's words, and the column that says whose (beside `team`): erased by
# storage/privacy/forget.py.
WORDS_OF = {
    "messages": "person",
    "inbox": "person",
    "replies": "asker",
    "feedback": "person",
    "recordings": "person",
    "recording_parts": "person",
    "clips": "person",
    "guard_verdicts": "person",  # before the examples: of one that is just overturned an example is made
    "guard_examples": "person",
    "guard_unanswered": "person",
    "field_reviews": "person",
    "answer_examples": "person",
    "documents": "person",
}

# Tables without, and why they may stay.
NO_WORDS = {
    "conversations": "counts and times",
    "summaries": "dropped with the messages they were made from",
    "tombstones": "digests of message ids",
    "quiet_threads": "ids of threads, and since when",
    "passed_over": "ids of threads and posts, for a day",
    "workers": "machines, numbers and times",
    "worker_messages": "ids, until they are read",
    "duties": "names of ours, and numbers of processes",
    "limit_holdings": "numbers, while a process lives",
    "channel_turns": "ids of channels and times, for a minute",
    "learned_refusals": "about models",
    "learned_ratios": "about models",
    "learned_limits": "about models",
    "model_endings": "about models",
    "ending_notices": "about models, and the channels that were told",
    "recording_minutes": "seconds",
    "channel_wishes": "settings",
    "guard_policies": "an owner's decision",
    "guard_models": "dropped with the examples they were trained on",
    "answer_models": "dropped with the examples they were trained on",
    "guard_vectors": "numbers under digests",
    "document_chunks": "erased with their document",
    "document_vectors": "numbers, erased with their document",
    "document_words": "counted down as chunks are erased",
    "document_days": "counts",
    "field_forms": "an owner's decision",
    "field_runs": "ids and counts, erased with their document",
    "field_rows": "erased with their document",
    "ledger": "amounts",
    "usage_days": "amounts",
    "usage_months": "amounts",
    "budgets": "an admin's decision",
    "budget_use": "amounts",
    "budget_holds": "amounts",
    "budget_overrides": "an admin's decision",
    "budget_gaps": "names of models",
    "budget_changes": "an admin's decisions",
    "channel_owners": "an admin's decision",
    "people_who_know": "an owner's decision; goes with the person",
    "digests": "who gets them",
    "disclosures": "who was told when",
    "removed_workspaces": "ids and times",
    "taken_deliveries": "digests, for some minutes",
    "audit": "acts and ids, which have to last",
}

# Where a person's id stands after they were forgotten, and why.
PERSON_STAYS = {
    "audit": "who did what has to last",
    "disclosures": "that they were told may have to be shown",
    "budget_use": "what is left of a cap of theirs",
    "recording_minutes": "what is left of the day's minutes; goes after two days",
    "budgets": "an admin's decision about them, or theirs",
    "budget_changes": "as budgets",
    "budget_overrides": "as budgets",
    "channel_owners": "an admin's decision about them, or theirs",
    "channel_wishes": "who decided",
    "guard_policies": "who decided",
    "field_forms": "who decided",
    "digests": "a wish that goes on until it is taken back",
}

TEAM_TABLES = tuple(
    {
        name: None
        for _, ddl in STEPS
        for name, columns in re.findall(r"create table (\w+) \((.*?)\n\)", ddl, re.DOTALL)
        if "\n    team " in columns
    }
)
# Those of them that stay when a workspace goes (storage/privacy/forget.py): what was spent, by whom, and who
# decided.
LASTING = frozenset(
    ["ledger", "usage_days", "usage_months", "budgets", "budget_changes", "recording_minutes", "audit"]
)
# What was decided there, which an operator may keep for an app that comes back.
DECISIONS = frozenset(
    [
        "channel_wishes",
        "guard_policies",
        "channel_owners",
        "budget_overrides",
        "digests",
        "field_forms",
        "people_who_know",
    ]
)
