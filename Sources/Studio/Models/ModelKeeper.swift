import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Library
import NIOCore
import Painting
import Weights

/// Fetches, takes in, checks and removes models for clients.
///
/// Only models of the program's registry are fetched, by their names: no address comes from a client.
actor ModelKeeper {
  /// A model that is being fetched, or how that ended.
  struct Fetch: Sendable {
    /// How it stands.
    enum State: String, Sendable, CaseIterable {
      case running, failed, cancelled
    }

    var state = State.running
    var done = 0
    var total: Int?
    /// What went wrong, for people.
    var problem: String?
  }

  let library: ModelLibrary
  private let hub: Hub
  private(set) var fetches: [String: Fetch] = [:]
  private var tasks: [String: Task<Void, Never>] = [:]
  private var weights: [String: Int] = [:]
  /// Whether a file is being taken in.
  private var isTaking = false
  /// Most that are fetched at a time.
  private static let most = 2

  /// - Parameters:
  ///   - library: where models are installed.
  ///   - hub: where they are fetched from.
  init(library: ModelLibrary, hub: Hub = Hub()) {
    self.library = library
    self.hub = hub
  }

  // MARK: Fetching

  /// Begins to fetch a model of the registry, or goes on where it was cut off.
  /// - Throws: `Problem` when there is none of that name, it is there already, or too many are fetched.
  func fetch(_ id: String) throws {
    guard let known = try KnownModel.all().first(where: { $0.id == id }) else {
      throw Problem.notFound("known model '\(id.prefix(80))'")
    }
    if (try? library.store.model(id)) != nil {
      throw Problem(.conflict, "\(id) is installed already.")
    }
    guard tasks[id] == nil else { return }
    guard tasks.count < Self.most else {
      throw Problem(
        .tooManyRequests, "\(Self.most) models are being fetched already. Wait until one is here.",
        headers: [.retryAfter: "30"])
    }
    let size = known.files.map { $0.reduce(0) { $0 + ($1.size ?? 0) } }
    fetches[id] = Fetch(total: size.flatMap { $0 > 0 ? $0 : nil })
    tasks[id] = Task { [library, hub] in
      do {
        _ = try await library.pull(id, hub: hub) { fetching in
          Task { await self.note(id, fetching) }
        }
        self.end(id, nil)
      } catch {
        self.end(id, error)
      }
    }
  }

  private func note(_ id: String, _ fetching: ModelLibrary.Fetching) {
    guard fetches[id]?.state == .running else { return }
    fetches[id]?.done = fetching.done
    if fetching.total > 0 { fetches[id]?.total = fetching.total }
  }

  private func end(_ id: String, _ error: (any Error)?) {
    let wasCancelled = tasks[id]?.isCancelled ?? false
    tasks[id] = nil
    guard let error else {
      fetches[id] = nil
      return
    }
    fetches[id]?.state = wasCancelled || error is CancellationError ? .cancelled : .failed
    fetches[id]?.problem = wasCancelled ? nil : "\(error)"
  }

  /// Stops fetching a model; what is there of it stays for another time.
  /// - Throws: `Problem` when it is not being fetched.
  func stop(_ id: String) throws {
    guard let task = tasks[id] else {
      guard fetches.removeValue(forKey: id) == nil else { return }
      throw Problem.notFound("fetch of '\(id.prefix(80))'")
    }
    task.cancel()
  }

  // MARK: What is here

  /// What the numbers of an installed model take in memory as float32, without what is computed with them;
  /// nil where it holds none. It is found out once.
  func memory(of model: ModelStore.Model) -> Int? {
    let id = model.record.id
    if let known = weights[id] { return known > 0 ? known : nil }
    var count = 0
    for name in model.record.files.keys {
      // What is no file of weights holds no numbers.
      guard let file = try? openTensors(at: model.url(name)) else { continue }
      count += file.entries.values.reduce(0) { $0 + $1.count }
    }
    weights[id] = 4 * count
    return count > 0 ? 4 * count : nil
  }

  /// What is wrong with a model's files; empty when they are as they were installed.
  func problems(of id: String) async throws -> [String] {
    let store = library.store
    let model = try store.model(id)
    return await Task.detached { store.problems(of: model) }.value
  }

  /// Removes a model.
  func remove(_ id: String) throws {
    try library.store.remove(id)
    weights[id] = nil
  }

  // MARK: Taking in

  /// Most bytes of a file that is handed in.
  private static let largest = 32 << 30

  /// Takes a file in that a client sends: keeps it as it comes, sees what it is, and installs it.
  /// - Parameter name: as the client calls it; only its plain letters are kept.
  /// - Throws: `Problem`, `StoreError` or `WeightsError`; nothing is left behind then.
  func take(_ body: RequestBody, name: String) async throws -> ModelStore.Model {
    guard !isTaking else {
      throw Problem(
        .tooManyRequests, "Another file is being handed in. Wait until it is here.",
        headers: [.retryAfter: "30"])
    }
    isTaking = true
    defer { isTaking = false }
    let plain = try Self.plain(name)
    // The store clears such folders away when a killed studio left one.
    let folder = library.store.folder.appending(
      path: ".handed-in.\(UUID().uuidString.prefix(8)).part")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: plain)
    let descriptor = open(file.path, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StudioError.folder(path: folder.path, reason: String(cString: strerror(errno)))
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var size = 0
    for try await part in body {
      size += part.readableBytes
      guard size <= Self.largest else {
        throw Problem(.contentTooLarge, "The file has more than \(Self.largest >> 30) GiB.")
      }
      try handle.write(contentsOf: Data(part.readableBytesView))
    }
    try handle.close()
    var particulars = ModelLibrary.Particulars()
    particulars.source = "handed in as \(plain)"
    let (library, given) = (library, particulars)
    do {
      return try await Task.detached { try library.add([file], given, .move) }.value
    } catch StoreError.full {
      throw Problem.full
    } catch let error where error is StoreError || error is WeightsError {
      // Where it lay for a moment is nobody's business.
      let reason = "\(error)".replacing(file.path, with: plain).replacing(folder.path, with: plain)
      throw Problem(.unprocessableContent, reason, field: "name")
    }
  }

  /// A name of plain letters with an ending of files of weights or vocabularies.
  static func plain(_ name: String) throws -> String {
    let last = name.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
    let plain = String(
      last.map { character in
        character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
          ? character : "-"
      }.drop { $0 == "." || $0 == "-" }.suffix(100))
    let endings = [
      "safetensors", "pt", "pth", "ckpt", "bin", "pkl", "msgpack", "npz", "gz", "json",
    ]
    guard let ending = plain.split(separator: ".").last, plain.contains("."),
      endings.contains(ending.lowercased())
    else {
      throw Problem(
        .unprocessableContent,
        "The file's name must end in " + endings.map { ".\($0)" }.joined(separator: ", ") + ".",
        field: "name")
    }
    return plain
  }
}
