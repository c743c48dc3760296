import Foundation
import Weights

/// The models that are installed on this machine, each in a folder of its own with its `model.json`.
///
/// A model appears whole or not at all: it is put together under a hidden name and then renamed.
public struct ModelStore: Sendable {
  /// A model in its folder.
  public struct Model: Sendable {
    /// What `model.json` says.
    public let record: ModelRecord
    /// The folder.
    public let folder: URL

    /// Where a file of the model lies.
    public func url(_ name: String) -> URL { folder.appending(path: name) }
  }

  /// The folder of all models.
  public let folder: URL

  /// - Parameter folder: need not exist yet.
  public init(folder: URL) { self.folder = folder }

  /// The store of this user: `REVERIE_MODELS`, else `$XDG_DATA_HOME/reverie/models`, else
  /// `~/.local/share/reverie/models`.
  public static func standard(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> ModelStore {
    if let folder = environment["REVERIE_MODELS"], !folder.isEmpty {
      return ModelStore(folder: URL(filePath: folder))
    }
    return ModelStore(folder: XDG.data(environment).appending(path: "reverie/models"))
  }

  // MARK: Looking

  /// All models by name. Folders that hold no readable `model.json` are left out.
  public func models() -> [Model] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter(ModelRecord.isID).sorted().compactMap { try? model($0) }
  }

  /// The model of a name.
  /// - Throws: `StoreError`, with the names that are near.
  public func model(_ id: String) throws -> Model {
    let home = folder.appending(path: id)
    let url = home.appending(path: "model.json")
    guard ModelRecord.isID(id), FileManager.default.fileExists(atPath: url.path) else {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      throw StoreError.unknown(id: id, installed: names.filter(ModelRecord.isID).sorted())
    }
    do {
      guard let data = try? RegularFile.data(at: url, limit: 1 << 20) else {
        throw StoreError.record(path: url.path)
      }
      let record = try JSONDecoder().decode(ModelRecord.self, from: data)
      let names = record.files.keys
      guard record.schema == ModelRecord.currentSchema, record.id == id,
        names.allSatisfy({ !$0.contains("/") && !$0.hasPrefix(".") && !$0.isEmpty })
      else { throw StoreError.record(path: url.path) }
      return Model(record: record, folder: home)
    } catch is DecodingError {
      throw StoreError.record(path: url.path)
    }
  }

  // MARK: Changing

  /// How a file comes into the store.
  public enum Placement: Sendable {
    /// A copy of its own.
    case copy
    /// A symbolic link to where it lies.
    case link
    /// Moved, when it was made for the store.
    case move
  }

  /// Installs a model.
  /// - Parameters:
  ///   - record: what to note; its files' sizes and hashes are measured here, and compared with those
  ///     that are given.
  ///   - files: name in the store, and where the file lies now.
  ///   - progress: called with the bytes done so far.
  /// - Throws: `StoreError.exists`, `WeightsError`; nothing is left behind then.
  @discardableResult
  public func add(
    _ record: ModelRecord, files: [(name: String, url: URL)], _ placement: Placement = .copy,
    progress: (Int) -> Void = { _ in }
  ) throws -> Model {
    var record = record
    let home = folder.appending(path: record.id)
    guard !FileManager.default.fileExists(atPath: home.path) else {
      throw StoreError.exists(id: record.id)
    }
    try makeFolder()
    if placement == .copy { try checkSpace(for: files) }
    let draft = folder.appending(path: ".\(record.id).\(UUID().uuidString.prefix(8)).part")
    do {
      try FileManager.default.createDirectory(at: draft, withIntermediateDirectories: false)
    } catch {
      throw StoreError.words(error, folder)
    }
    let expected = record.files
    record.files = [:]
    do {
      var done = 0
      for (name, url) in files {
        let target = draft.appending(path: name)
        let source = url.resolvingSymlinksInPath()
        switch placement {
        case .copy: try FileManager.default.copyItem(at: source, to: target)
        case .link:
          try FileManager.default.createSymbolicLink(at: target, withDestinationURL: source)
        case .move: try FileManager.default.moveItem(at: url, to: target)
        }
        let size =
          try FileManager.default.attributesOfItem(
            atPath: target.resolvingSymlinksInPath().path)[.size] as? Int
        let found = FileRecord(size: size ?? 0, sha256: try Checksum.sha256(of: target))
        if let file = expected[name], file.sha256 != found.sha256 {
          throw WeightsError.checksum(path: url.path, expected: file.sha256, found: found.sha256)
        }
        record.files[name] = found
        done += found.size
        progress(done)
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try encoder.encode(record).write(to: draft.appending(path: "model.json"))
      try FileManager.default.moveItem(at: draft, to: home)
    } catch {
      try? FileManager.default.removeItem(at: draft)
      throw StoreError.words(error, folder)
    }
    return Model(record: record, folder: home)
  }

  /// Too little space is told before a gigabyte has been copied.
  private func checkSpace(for files: [(name: String, url: URL)]) throws {
    let sizes = files.map { file in
      let path = file.url.resolvingSymlinksInPath().path
      return (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }
    let needed = sizes.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    let system = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    guard let free = system?[.systemFreeSize] as? Int, free < needed else { return }
    throw StoreError.full(path: folder.path, needed: needed, free: free)
  }

  /// Makes the folder, and clears away what a killed installation left.
  private func makeFolder() throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw StoreError.folder(path: folder.path)
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let old = Date(timeIntervalSinceNow: -24 * 3600)
    for name in names where name.hasPrefix(".") && name.hasSuffix(".part") {
      let url = folder.appending(path: name)
      let made = try? FileManager.default.attributesOfItem(atPath: url.path)[.modificationDate]
      if let made = made as? Date, made < old { try? FileManager.default.removeItem(at: url) }
    }
  }

  /// What is wrong with a model's files; empty when they are as they were installed.
  public func problems(of model: Model) -> [String] {
    model.record.files.sorted { $0.key < $1.key }.compactMap { name, file in
      do {
        try Checksum.verify(model.url(name), sha256: file.sha256)
        return nil
      } catch {
        return "\(error)"
      }
    }
  }

  /// Removes a model; what its links point to stays.
  public func remove(_ id: String) throws {
    let home = try model(id).folder
    // Renamed first, so that a removal that is cut short leaves no model with holes.
    let doomed = folder.appending(path: ".\(id).\(UUID().uuidString.prefix(8)).part")
    do {
      try FileManager.default.moveItem(at: home, to: doomed)
      try FileManager.default.removeItem(at: doomed)
    } catch {
      throw StoreError.words(error, folder)
    }
  }
}

/// What can be wrong with the store of models.
public enum StoreError: Error, Equatable, CustomStringConvertible {
  /// No model of that name is installed.
  case unknown(id: String, installed: [String])
  /// One of that name is installed already.
  case exists(id: String)
  /// A `model.json` cannot be understood.
  case record(path: String)
  /// The store's folder cannot be made.
  case folder(path: String)
  /// The disk has too little space.
  case full(path: String, needed: Int?, free: Int?)
  /// Something in the store's folder cannot be written.
  case unwritable(path: String, reason: String)
  /// What was given is no model.
  case nothing(path: String, reason: String)
  /// The hub or the network refused.
  case hub(address: String, reason: String)

  /// What Foundation's errors of files say, as ours.
  static func words(_ error: any Error, _ folder: URL) -> any Error {
    if error is StoreError || error is WeightsError || error is CancellationError { return error }
    var deepest = error as NSError
    while let inner = deepest.userInfo[NSUnderlyingErrorKey] as? NSError { deepest = inner }
    let isFull =
      (error as? CocoaError)?.code == .fileWriteOutOfSpace
      || deepest.domain == NSPOSIXErrorDomain
        && [ENOSPC, EDQUOT].contains(Int32(truncatingIfNeeded: deepest.code))
    if isFull { return full(path: folder.path, needed: nil, free: nil) }
    let path = (error as NSError).userInfo[NSFilePathErrorKey] as? String ?? folder.path
    let reason =
      deepest.domain == NSPOSIXErrorDomain
      ? String(cString: strerror(Int32(truncatingIfNeeded: deepest.code)))
      : deepest.localizedDescription
    return unwritable(path: path, reason: reason)
  }

  /// The sentence for the user.
  public var description: String {
    switch self {
    case .unknown(let id, let installed):
      installed.isEmpty
        ? "No model '\(id)' is installed, nor any other. Add one with: reverie models add FILE"
        : "No model '\(id)' is installed. There are: \(installed.joined(separator: ", "))."
    case .exists(let id):
      "A model '\(id)' is installed already. Give this one another name with --id, or first: "
        + "reverie models remove \(id)"
    case .record(let path): "\(path) is damaged or of another version. Add the model again."
    case .folder(let path):
      "\(path), where models are kept, cannot be made. Set REVERIE_MODELS to another folder."
    case .full(let path, let needed?, let free?):
      "There is too little space in \(path): \(needed / 1_000_000) MB are needed and "
        + "\(free / 1_000_000) MB are free. Make room, link to the file with --link, or set "
        + "REVERIE_MODELS to another folder."
    case .full(let path, _, _):
      "There is no space left in \(path). Make room, link to the file with --link, or set "
        + "REVERIE_MODELS to another folder."
    case .unwritable(let path, let reason):
      "\(path) cannot be written: \(reason). Set REVERIE_MODELS to another folder."
    case .nothing(let path, let reason): "\(path): \(reason)."
    case .hub(let address, let reason): "\(address): \(reason)."
    }
  }
}
