import Foundation
import GRDB
import Painting

extension Store {
  /// Takes a finished picture in, once: of two of one place in one job the second is left out.
  /// - Returns: whether it is new.
  @discardableResult
  func add(_ picture: PictureRecord, memory: Int? = nil) async throws -> Bool {
    defer { pages.forget() }
    return try await pool.write { db in
      let known = PictureRecord.filter(
        Column("job") == picture.job && Column("place") == picture.place)
      guard try known.fetchCount(db) == 0 else { return false }
      var picture = picture
      try picture.insert(db)
      try Self.note(
        .picture, picture.job,
        ["picture": .string(picture.id), "place": .integer(picture.place)], in: db)
      // It came further: what went wrong before does not count any more.
      try db.execute(
        sql: """
          UPDATE jobs SET failures = 0, failedAt = NULL,
            memory = NULLIF(MAX(IFNULL(memory, 0), IFNULL(?, 0)), 0) WHERE id = ?
          """, arguments: [memory, picture.job])
      return true
    }
  }

  /// The picture of a name, thrown away or not.
  func picture(_ id: String) async throws -> PictureRecord? {
    try await pool.read { try PictureRecord.filter(Column("id") == id).fetchOne($0) }
  }

  /// Names of a job's pictures that are kept, in order.
  func pictures(of jobs: [String]) async throws -> [String: [String]] {
    try await pool.read { db in
      let rows = try PictureRecord.filter(
        jobs.contains(Column("job")) && Column("deleted") == nil
      ).order(Column("job"), Column("place")).fetchAll(db)
      return Dictionary(grouping: rows, by: \.job).mapValues { $0.map(\.id) }
    }
  }

  /// Which pictures are wanted.
  struct PictureQuery: Sendable, Hashable {
    /// Words of the prompt, all of which must be there; the last one may be cut short.
    var text: String?
    /// Favourites only.
    var favourites = false
    /// Those of a collection only.
    var collection: String?
    /// Those of a method only.
    var method: String?
    /// Those that were painted then or later, in seconds since 1970.
    var since: Double?
    /// Those that were painted before.
    var until: Double?
    /// Which come first.
    var order = Order.newest
    /// Those that were thrown away, instead of those that are kept.
    var deleted = false
    /// Where an earlier page said that this begins.
    var after: Int64?
    /// Most of them.
    var limit = 60

    /// Which come first.
    enum Order: String, Sendable, Hashable, CaseIterable {
      case newest, oldest
      /// Those that CLIP finds to fit best; of films and the like it is not known.
      case best
    }
  }

  /// A page of pictures.
  func pictures(_ query: PictureQuery) async throws -> (pictures: [PictureRecord], next: Int64?) {
    var conditions = ["p.deleted IS \(query.deleted ? "NOT NULL" : "NULL")"]
    var arguments: [(any DatabaseValueConvertible)?] = []
    var joins = ""
    if let text = query.text, let pattern = Self.pattern(text) {
      joins += " JOIN pictureTexts ON pictureTexts.rowid = p.number"
      conditions.append("pictureTexts MATCH ?")
      arguments.append(pattern)
    }
    if query.favourites { conditions.append("p.favourite") }
    if let collection = query.collection {
      joins +=
        " JOIN collected c ON c.picture = p.number JOIN collections k ON k.number = c.collection"
      conditions.append("k.id = ?")
      arguments.append(collection)
    }
    if let method = query.method {
      conditions.append("p.method = ?")
      arguments.append(method)
    }
    if let since = query.since {
      conditions.append("p.created >= ?")
      arguments.append(since)
    }
    if let until = query.until {
      conditions.append("p.created < ?")
      arguments.append(until)
    }
    if let after = query.after {
      switch query.order {
      case .newest: conditions.append("p.number < ?")
      case .oldest: conditions.append("p.number > ?")
      case .best:
        conditions.append(
          "(IFNULL(p.score, -2), p.number) < (SELECT IFNULL(q.score, -2), q.number FROM pictures q WHERE "
            + "q.number = ?)")
      }
      arguments.append(after)
    }
    let order =
      switch query.order {
      case .newest: "p.number DESC"
      case .oldest: "p.number"
      case .best: "IFNULL(p.score, -2) DESC, p.number DESC"
      }
    arguments.append(query.limit + 1)
    let sql =
      "SELECT p.* FROM pictures p\(joins) WHERE " + conditions.joined(separator: " AND ")
      + " ORDER BY \(order) LIMIT ?"
    let values = StatementArguments(arguments)
    return try await pool.read { db in
      let found = try PictureRecord.fetchAll(db, sql: sql, arguments: values)
      let pictures = Array(found.prefix(query.limit))
      return (pictures, found.count > query.limit ? pictures.last?.number : nil)
    }
  }

  /// What a picture came of and what came of it: all that hang together by `parent`, the oldest first.
  func relatives(of id: String, most: Int = 200) async throws -> [PictureRecord] {
    try await pool.read { db in
      try PictureRecord.fetchAll(
        db,
        sql: """
          WITH RECURSIVE up(id, parent, depth) AS (
            SELECT id, parent, 0 FROM pictures WHERE id = :id
            UNION SELECT p.id, p.parent, depth + 1 FROM pictures p JOIN up ON p.id = up.parent
              WHERE depth < 100),
          root(id) AS (SELECT id FROM up ORDER BY depth DESC LIMIT 1),
          down(id) AS (SELECT id FROM root
            UNION SELECT p.id FROM pictures p JOIN down ON p.parent = down.id)
          SELECT * FROM pictures WHERE id IN down AND (deleted IS NULL OR id = :id)
          ORDER BY number LIMIT :most
          """, arguments: ["id": id, "most": most])
    }
  }

  /// Names of methods that pictures were painted with, thrown away or not: an index alone tells them.
  func methodsUsed() async throws -> [String] {
    try await pool.read {
      try String.fetchAll($0, sql: "SELECT DISTINCT method FROM pictures ORDER BY method")
    }
  }

  /// The words of a search as FTS5 reads them: each in quotation marks, the last as a beginning.
  static func pattern(_ text: String) -> String? {
    let words = text.split { !$0.isLetter && !$0.isNumber }.prefix(16)
    guard !words.isEmpty else { return nil }
    return words.map { "\"\($0)\"" }.joined(separator: " ") + "*"
  }

  /// Marks pictures, of which those that are not there are left out.
  /// - Returns: how many there were.
  func mark(_ ids: [String], favourite: Bool) async throws -> Int {
    defer { pages.forget() }
    return try await pool.write { db in
      try PictureRecord.filter(ids.contains(Column("id")))
        .updateAll(db, Column("favourite").set(to: favourite))
    }
  }

  /// Throws pictures away, or takes them back.
  /// - Returns: how many there were.
  func mark(_ ids: [String], deleted: Bool) async throws -> Int {
    defer { pages.forget() }
    return try await pool.write { db in
      let time: Double? = deleted ? Date().timeIntervalSince1970 : nil
      return try PictureRecord.filter(ids.contains(Column("id")))
        .updateAll(db, Column("deleted").set(to: time))
    }
  }

  /// Forgets pictures that were thrown away before a moment.
  /// - Returns: their names, whose files can go.
  func purge(before moment: Double) async throws -> [String] {
    defer { pages.forget() }
    return try await pool.write { db in
      let old = PictureRecord.filter(Column("deleted") != nil && Column("deleted") < moment)
      let ids = try old.select(Column("id"), as: String.self).fetchAll(db)
      try old.deleteAll(db)
      return ids
    }
  }

  /// How many pictures are kept.
  func pictureCount() async throws -> Int {
    try await pool.read { try PictureRecord.filter(Column("deleted") == nil).fetchCount($0) }
  }
}

/// A collection of pictures.
struct CollectionRecord: Codable, Sendable, FetchableRecord {
  var id: String
  var name: String
  var created: Double
  var pictures: Int
  var cover: String?
}

extension Store {
  /// All collections, by name.
  func collections() async throws -> [CollectionRecord] {
    try await pool.read { db in
      try CollectionRecord.fetchAll(
        db,
        sql: """
          SELECT k.id, k.name, k.created, COUNT(p.number) AS pictures,
            (SELECT q.id FROM collected d JOIN pictures q ON q.number = d.picture
              WHERE d.collection = k.number AND q.deleted IS NULL
              ORDER BY q.number DESC LIMIT 1) AS cover
          FROM collections k LEFT JOIN collected c ON c.collection = k.number
            LEFT JOIN pictures p ON p.number = c.picture AND p.deleted IS NULL
          GROUP BY k.number ORDER BY k.name COLLATE NOCASE
          """)
    }
  }

  /// Makes a collection; of one name there is one.
  /// - Returns: its id.
  func makeCollection(_ name: String) async throws -> String {
    try await pool.write { db in
      if let known = try String.fetchOne(
        db, sql: "SELECT id FROM collections WHERE name = ?", arguments: [name])
      {
        return known
      }
      let id = Identifier.new()
      try db.execute(
        sql: "INSERT INTO collections (id, name, created) VALUES (?, ?, ?)",
        arguments: [id, name, Date().timeIntervalSince1970])
      return id
    }
  }

  /// Forgets a collection; its pictures stay.
  /// - Returns: whether there was one.
  func removeCollection(_ id: String) async throws -> Bool {
    defer { pages.forget() }
    return try await pool.write { db in
      try db.execute(sql: "DELETE FROM collections WHERE id = ?", arguments: [id])
      return db.changesCount > 0
    }
  }

  /// Puts pictures into a collection, or takes them out.
  /// - Returns: false when there is no such collection.
  func collect(_ ids: [String], in collection: String, isIn: Bool) async throws -> Bool {
    defer { pages.forget() }
    return try await pool.write { db in
      guard
        let number = try Int64.fetchOne(
          db, sql: "SELECT number FROM collections WHERE id = ?", arguments: [collection])
      else { return false }
      for id in ids {
        try db.execute(
          sql: isIn
            ? "INSERT OR IGNORE INTO collected SELECT ?, number FROM pictures WHERE id = ?"
            : "DELETE FROM collected WHERE collection = ? AND picture = "
              + "(SELECT number FROM pictures WHERE id = ?)", arguments: [number, id])
      }
      return true
    }
  }
}

/// A file that requests can name.
struct InputRecord: Codable, Sendable, Equatable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "inputs"
  var sha256: String
  var name: String
  var ending: String
  var bytes: Int
  var created: Double
}

extension Store {
  /// Notes a file, or that it was handed in once more.
  func add(_ input: InputRecord) async throws {
    try await pool.write { db in
      try input.insert(db, onConflict: .ignore)
      try InputRecord.filter(key: input.sha256)
        .updateAll(db, Column("created").set(to: input.created))
    }
  }

  /// Forgets files that were handed in before a moment and that nothing names any more.
  /// - Returns: what was forgotten, whose files can go.
  func purgeInputs(before moment: Double) async throws -> [InputRecord] {
    try await pool.write { db in
      let old = try InputRecord.filter(Column("created") < moment).fetchAll(db)
      let unnamed = try old.filter { input in
        let isNamed = try Bool.fetchOne(
          db,
          sql: """
            SELECT EXISTS (SELECT 1 FROM pictures WHERE instr(metadata, :hash))
              OR EXISTS (SELECT 1 FROM jobs WHERE state IN ('queued', 'painting')
                AND (instr(request, :hash) OR instr(IFNULL(work, ''), :hash)))
            """, arguments: ["hash": input.sha256])
        return isNamed != true
      }
      try InputRecord.deleteAll(db, keys: unnamed.map(\.sha256))
      return unnamed
    }
  }

  /// The file of this content.
  func input(_ sha256: String) async throws -> InputRecord? {
    try await pool.read { try InputRecord.fetchOne($0, key: sha256) }
  }
}
