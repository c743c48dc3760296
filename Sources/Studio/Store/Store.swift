import Foundation
import GRDB
import Painting

/// The studio's memory: jobs, their events, pictures, collections and files, in SQLite.
///
/// What a method has written when it returns is on the disk, also when the machine loses power the
/// moment after.
final class Store: Sendable {
  let pool: DatabasePool
  /// Pages of the gallery.
  let pages = PageCache()

  /// Opens the database, and makes or migrates it.
  /// - Throws: `StudioError.newer`, or an error of the database.
  init(_ file: URL) throws {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    configuration.maximumReaderCount = 6
    pool = try DatabasePool(path: file.path, configuration: configuration)
    // GRDB's own choice for WAL forgets the last transactions when power is lost.
    try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    let migrator = Self.migrator
    guard try !pool.read({ try migrator.hasBeenSuperseded($0) }) else {
      throw StudioError.newer(path: file.path)
    }
    try migrator.migrate(pool)
  }

  /// Every change of the tables, by name; none of them ever changes again.
  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 jobs, events, pictures, collections, inputs") { db in
      try db.create(table: "jobs") { table in
        table.autoIncrementedPrimaryKey("number")
        table.column("id", .text).notNull().unique()
        table.column("state", .text).notNull()
        table.column("position", .double).notNull()
        table.column("prompt", .text).notNull()
        table.column("request", .text).notNull()
        table.column("count", .integer).notNull()
        table.column("presets", .text).notNull()
        table.column("source", .text).notNull()
        table.column("key", .text).unique()
        table.column("parent", .text)
        table.column("created", .double).notNull()
        table.column("started", .double)
        table.column("ended", .double)
        table.column("device", .text)
        table.column("failures", .integer).notNull().defaults(to: 0)
        table.column("interruptions", .integer).notNull().defaults(to: 0)
        table.column("failedAt", .integer)
        table.column("step", .integer)
        table.column("total", .integer)
        table.column("unit", .text)
        table.column("stopped", .boolean).notNull().defaults(to: false)
        table.column("reason", .text)
        table.column("field", .text)
      }
      try db.create(index: "jobs by place", on: "jobs", columns: ["state", "position"])
      try db.create(table: "events") { table in
        table.autoIncrementedPrimaryKey("id")
        table.column("job", .text).notNull()
        table.column("kind", .text).notNull()
        table.column("time", .double).notNull()
        table.column("body", .text).notNull()
      }
      try db.create(index: "events by job", on: "events", columns: ["job", "id"])
      try db.create(table: "pictures") { table in
        table.autoIncrementedPrimaryKey("number")
        table.column("id", .text).notNull().unique()
        table.column("job", .text).notNull()
        table.column("place", .integer).notNull()
        table.column("created", .double).notNull()
        table.column("prompt", .text).notNull()
        table.column("metadata", .text).notNull()
        table.column("method", .text).notNull()
        table.column("seed", .integer).notNull()
        table.column("width", .integer).notNull()
        table.column("height", .integer).notNull()
        table.column("score", .double)
        table.column("stopped", .boolean).notNull()
        table.column("parent", .text)
        table.column("favourite", .boolean).notNull().defaults(to: false)
        table.column("deleted", .double)
        table.uniqueKey(["job", "place"])
      }
      try db.create(
        index: "favourites", on: "pictures", columns: ["favourite", "number"],
        condition: Column("deleted") == nil)
      try db.create(index: "shown pictures", on: "pictures", columns: ["deleted", "number"])
      try db.create(virtualTable: "pictureTexts", using: FTS5()) { table in
        table.synchronize(withTable: "pictures")
        table.tokenizer = .unicode61()
        table.column("prompt")
      }
      try db.create(table: "collections") { table in
        table.autoIncrementedPrimaryKey("number")
        table.column("id", .text).notNull().unique()
        table.column("name", .text).notNull().unique().collate(.nocase)
        table.column("created", .double).notNull()
      }
      try db.create(table: "collected") { table in
        table.column("collection", .integer).notNull()
          .references("collections", column: "number", onDelete: .cascade)
        table.column("picture", .integer).notNull()
          .references("pictures", column: "number", onDelete: .cascade)
        table.primaryKey(["collection", "picture"])
      }
      try db.create(table: "inputs") { table in
        table.primaryKey("sha256", .text)
        table.column("name", .text).notNull()
        table.column("ending", .text).notNull()
        table.column("bytes", .integer).notNull()
        table.column("created", .double).notNull()
      }
    }
    migrator.registerMigration("2 films and enlargements") { db in
      try db.alter(table: "jobs") { $0.add(column: "work", .text) }
      try db.alter(table: "pictures") { $0.add(column: "film", .text) }
    }
    migrator.registerMigration("3 traces") { db in
      try db.alter(table: "pictures") {
        $0.add(column: "traced", .boolean).notNull().defaults(to: false)
      }
      try db.create(index: "pictures by parent", on: "pictures", columns: ["parent"])
      try db.create(index: "pictures by method", on: "pictures", columns: ["method", "number"])
    }
    migrator.registerMigration("4 leases") { db in
      try db.alter(table: "jobs") { table in
        table.add(column: "needs", .text)
        table.add(column: "ticket", .text)
        table.add(column: "turn", .integer).notNull().defaults(to: 0)
      }
      try db.create(
        index: "jobs by needs", on: "jobs", columns: ["state", "needs", "position"])
      try db.create(index: "jobs by end", on: "jobs", columns: ["ended"])
    }
    migrator.registerMigration("5 memory") { db in
      try db.alter(table: "jobs") { $0.add(column: "memory", .integer) }
    }
    return migrator
  }
}

extension JSONValue {
  /// The value of a JSON text; nil when it is none.
  init?(text: String) {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else {
      return nil
    }
    self = value
  }

  /// As JSON, with sorted keys.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }

  /// A number, or null.
  init(_ number: Double?) { self = number.map(JSONValue.number) ?? .null }
  /// A whole number, or null.
  init(_ number: Int?) { self = number.map(JSONValue.integer) ?? .null }
  /// A text, or null.
  init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }
}
