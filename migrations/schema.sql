-- What all steps together make. Written by migrations/tests/schema.rs.

CREATE TABLE "blob" (
    "sha256" blob NOT NULL PRIMARY KEY,
    "size" integer NOT NULL,
    "bytes" blob NOT NULL,
    "named" boolean NOT NULL,
    "received_at" integer NOT NULL
);

CREATE INDEX "blob_by_waiting" ON "blob" ("named", "received_at");

CREATE TABLE "body" (
    "envelope" blob NOT NULL PRIMARY KEY,
    "record" blob NOT NULL,
    "bytes" blob NOT NULL
);

CREATE INDEX "body_by_record" ON "body" ("record");

CREATE TABLE "checkpoint" (
    "log_id" integer NOT NULL,
    "size" integer NOT NULL,
    "note" text NOT NULL,
    "cosigners" integer NOT NULL,
    PRIMARY KEY ("log_id", "size"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "checkpoint_by_cosigners" ON "checkpoint" ("log_id", "cosigners", "size");

CREATE TABLE "contradiction" (
    "origin" text NOT NULL PRIMARY KEY,
    "earlier" text NOT NULL,
    "later" text NOT NULL,
    "found_at" integer NOT NULL ,
    "evidence" text
);

CREATE TABLE "cosignature" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "log_id" integer NOT NULL,
    "size" integer NOT NULL,
    "name" text NOT NULL,
    "held" boolean NOT NULL,
    "own" boolean NOT NULL,
    "at" integer NOT NULL,
    "line" text NOT NULL,
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE UNIQUE INDEX "cosignature_line" ON "cosignature" ("log_id", "size", "line");

CREATE TABLE "delegation" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "keyid" blob NOT NULL,
    "record" blob NOT NULL,
    "signers" blob NOT NULL,
    "body" text NOT NULL,
    PRIMARY KEY ("log_id", "idx"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "delegation_by_key" ON "delegation" ("log_id", "keyid");

CREATE TABLE "ending" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "record" blob NOT NULL,
    "kind" text NOT NULL,
    "ended" blob NOT NULL,
    "ended_idx" integer NOT NULL,
    "signers" blob NOT NULL,
    "body" text NOT NULL,
    PRIMARY KEY ("log_id", "idx"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "ending_by_kind" ON "ending" ("log_id", "kind", "idx");

CREATE INDEX "ending_by_record" ON "ending" ("log_id", "ended");

CREATE TABLE "entry" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "bytes" blob NOT NULL,
    "leaf" blob NOT NULL,
    "envelope" blob,
    PRIMARY KEY ("log_id", "idx"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "entry_by_envelope" ON "entry" ("envelope");

CREATE TABLE "erased" (
    "log_id" integer NOT NULL,
    "envelope" blob NOT NULL,
    "record" blob NOT NULL,
    "redacted_in" integer NOT NULL,
    "scrubbed" boolean NOT NULL,
    PRIMARY KEY ("log_id", "envelope"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "erased_by_record" ON "erased" ("record", "redacted_in");

CREATE INDEX "erased_by_scrubbed" ON "erased" ("scrubbed");

CREATE TABLE "erasure_receipt" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "of_log" text NOT NULL,
    "of_idx" integer NOT NULL,
    "erased" blob NOT NULL,
    "redaction" blob NOT NULL,
    PRIMARY KEY ("log_id", "idx"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "erasure_receipt_by_redaction" ON "erasure_receipt" ("redaction");

CREATE TABLE "found" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "place" integer NOT NULL,
    "digest" blob NOT NULL,
    "what" text NOT NULL,
    "name" text NOT NULL,
    PRIMARY KEY ("log_id", "idx", "place"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "found_by_digest" ON "found" ("digest");

CREATE TABLE "introduction" (
    "origin" text NOT NULL PRIMARY KEY,
    "sha256" blob NOT NULL,
    "bundle" blob NOT NULL,
    "received_at" integer NOT NULL
);

CREATE TABLE "lease" (
    "name" text NOT NULL PRIMARY KEY,
    "holder" text NOT NULL,
    "epoch" integer NOT NULL,
    "knock" integer NOT NULL,
    "answer" integer NOT NULL
);

CREATE TABLE "log" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "origin" text NOT NULL UNIQUE,
    "nation" text NOT NULL,
    "own" boolean NOT NULL,
    "log_vkey" text NOT NULL,
    "fingerprint" blob,
    "size" integer NOT NULL,
    "root" blob NOT NULL,
    "head_note" text,
    "pending_note" text ,
    "witnessed_note" text
);

CREATE TABLE "missing" (
    "log_id" integer NOT NULL,
    "digest" blob NOT NULL,
    "idx" integer NOT NULL,
    PRIMARY KEY ("log_id", "digest"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "missing_by_place" ON "missing" ("log_id", "idx", "digest");

CREATE TABLE "model" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "card" blob NOT NULL,
    "current" boolean NOT NULL,
    "since" integer NOT NULL,
    "at" integer NOT NULL,
    "urn" text NOT NULL,
    "version" text NOT NULL,
    "nation" text NOT NULL,
    "org" text NOT NULL,
    "name" text NOT NULL,
    "display_name" text NOT NULL,
    "languages" text NOT NULL,
    "license" text,
    "license_record" blob,
    "weights" blob NOT NULL,
    "search" text NOT NULL,
    "ended" boolean NOT NULL DEFAULT FALSE,
    PRIMARY KEY ("log_id", "idx"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "model_by_time" ON "model" ("current", "at", "log_id", "idx");

CREATE INDEX "model_by_version" ON "model" ("urn", "version");

CREATE TABLE "model_language" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "tag" text NOT NULL,
    PRIMARY KEY ("log_id", "idx", "tag"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE TABLE "model_license" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "name" text NOT NULL,
    PRIMARY KEY ("log_id", "idx", "name"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE TABLE "nation" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "nation" text NOT NULL,
    "fingerprint" blob NOT NULL,
    "charter" text NOT NULL,
    PRIMARY KEY ("log_id"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE TABLE "record" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "envelope" blob NOT NULL,
    "digest" blob,
    "kind" text NOT NULL,
    "verdict" text NOT NULL,
    "code" text,
    "reason" text,
    "superseded_by" blob,
    "scope" text,
    "at" integer NOT NULL,
    "signers" blob NOT NULL,
    PRIMARY KEY ("log_id", "idx"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "record_by_digest" ON "record" ("digest");

CREATE INDEX "record_by_kind" ON "record" ("kind", "at", "log_id", "idx");

CREATE INDEX "record_by_time" ON "record" ("at", "log_id", "idx");

CREATE TABLE "revocation" (
    "log_id" integer NOT NULL,
    "idx" integer NOT NULL,
    "keyid" blob NOT NULL,
    "record" blob NOT NULL,
    "signers" blob NOT NULL,
    "body" text NOT NULL,
    "by_roots" boolean NOT NULL,
    PRIMARY KEY ("log_id", "idx"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);

CREATE INDEX "revocation_by_key" ON "revocation" ("log_id", "keyid");

CREATE TABLE "submission" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "envelope" blob NOT NULL,
    "answer" text,
    "answered_at" integer
);

CREATE INDEX "submission_by_answer" ON "submission" ("answered_at", "id");

CREATE TABLE "tile" (
    "log_id" integer NOT NULL,
    "level" integer NOT NULL,
    "idx" integer NOT NULL,
    "bytes" blob NOT NULL,
    PRIMARY KEY ("log_id", "level", "idx"),
    FOREIGN KEY ("log_id") REFERENCES "log" ("id")
);
