import Foundation
import Models
import Tokenizers
import Weights

/// What people have on their disks: looked at, installed into the store, and opened for painting.
public struct ModelLibrary: Sendable {
  /// Where models are installed.
  public let store: ModelStore

  /// The networks that files are told from.
  public let architectures: [Architecture]

  /// A library.
  /// - Parameters:
  ///   - store: the user's, if left out.
  ///   - architectures: the networks that files are told from.
  public init(
    store: ModelStore = .standard(), architectures: [Architecture] = Architecture.builtIn
  ) {
    self.store = store
    self.architectures = architectures
  }

  // MARK: Looking

  /// The files of weights at a path, and what each holds.
  ///
  /// - Parameter url: a file, or a folder with weights as Hugging Face, open_clip, taming or DALL·E lay
  ///   them out.
  /// - Throws: `StoreError.nothing` when there are none; `WeightsError` when one cannot be read.
  public func look(at url: URL) throws -> [Recognition] {
    let files = try Self.weights(at: url)
    guard !files.isEmpty else {
      throw StoreError.nothing(path: url.path, reason: "there are no weights in this folder")
    }
    return try files.map { try Recognition(of: openTensors(at: $0), among: architectures) }
  }

  private static func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  private static func weights(at url: URL) throws -> [URL] {
    guard isFolder(url) else { return [url] }
    var names = try FileManager.default.contentsOfDirectory(atPath: url.path)
    let deeper = "checkpoints/last.ckpt"
    if FileManager.default.fileExists(atPath: url.appending(path: deeper).path) {
      names.append(deeper)
    }
    return FolderLayout.weights(among: names).map { url.appending(path: $0) }
  }

  // MARK: Installing

  /// What the owner says about a model beyond what its files say.
  public struct Particulars: Sendable {
    /// Its name; made of the file's if left out.
    public var id: String?
    /// Where it came from; its path if left out.
    public var source: String?
    /// Under which terms.
    public var licence: String?
    /// Whether CLIP's activation is QuickGELU.
    public var quickGELU: Bool?
    /// Hashes that its files must have, by name.
    public var expected: [String: FileRecord] = [:]

    /// Nothing beyond the files.
    public init() {}
  }

  /// Recognises what lies at these paths, one model, and installs it.
  public func add(
    _ urls: [URL], _ particulars: Particulars = .init(), _ placement: ModelStore.Placement = .copy,
    progress: (Int) -> Void = { _ in }
  ) throws -> ModelStore.Model {
    guard let first = urls.first else {
      throw StoreError.nothing(path: "", reason: "no file was given")
    }
    var record = ModelRecord(
      id: particulars.id ?? ModelRecord.id(from: Self.stem(first)), kind: .other, title: "",
      source: particulars.source ?? first.standardizedFileURL.path, licence: particulars.licence,
      quickGELU: particulars.quickGELU, files: particulars.expected)
    guard ModelRecord.isID(record.id) else {
      throw StoreError.nothing(
        path: record.id, reason: "a model's name has small letters, digits, points and hyphens only"
      )
    }
    let hasWeights = try Self.isFolder(first) && !Self.weights(at: first).isEmpty
    if urls.count == 1, !hasWeights, let tokenizer = try? CLIPTokenizer(contentsOf: first) {
      record.kind = .vocabulary
      record.title = "vocabulary of \(tokenizer.vocabularySize) tokens"
      return try store.add(
        record, files: Self.vocabularyFiles(at: first), placement, progress: progress)
    }
    let found = try urls.flatMap { try look(at: $0) }
    try Self.describe(found, in: &record)
    let files = try found.flatMap { try Self.files(of: $0) }
    return try store.add(record, files: Self.unique(files), placement, progress: progress)
  }

  private static func stem(_ url: URL) -> String {
    isFolder(url) ? url.lastPathComponent : url.deletingPathExtension().lastPathComponent
  }

  private static func vocabularyFiles(at url: URL) -> [(name: String, url: URL)] {
    let folder = isFolder(url) ? url : url.deletingLastPathComponent()
    let isPair = isFolder(url) || url.lastPathComponent == "vocab.json"
    let urls = isPair ? FolderLayout.vocabularies.map { folder.appending(path: $0) } : [url]
    return urls.filter { FileManager.default.fileExists(atPath: $0.path) }
      .map { ($0.lastPathComponent, $0) }
  }

  private static func describe(_ found: [Recognition], in record: inout ModelRecord) throws {
    let titles = found.map(\.title)
    record.title = titles.indices.filter { !titles[..<$0].contains(titles[$0]) }.map { titles[$0] }
      .joined(separator: " and ")
    let kinds = Set(found.map(\.architecture?.kind))
    record.kind =
      kinds.count == 1
      ? (kinds.first ?? nil).map { ModelRecord.Kind(rawValue: $0) } ?? .other
      : .other
    record.components = found.reduce(into: [:]) { components, recognition in
      guard let architecture = recognition.architecture else { return }
      components[architecture.id] = .init(
        file: recognition.file.url.lastPathComponent,
        prefix: recognition.prefix.isEmpty ? nil : recognition.prefix)
    }
    for recognition in found {
      if let misfit = try recognition.misfit() {
        throw WeightsError.mismatch(path: recognition.file.url.path, summary: misfit)
      }
    }
  }

  /// A file of weights with its parts and with what lies beside it and is used.
  private static func files(of recognition: Recognition) throws -> [(name: String, url: URL)] {
    let url = recognition.file.url
    let folder = url.deletingLastPathComponent()
    var urls = [url]
    if let sharded = recognition.file as? ShardedFile { urls += sharded.partURLs }
    urls += (recognition.architecture?.sidecars(url) ?? []).map { folder.appending(path: $0) }
    return urls.filter { FileManager.default.fileExists(atPath: $0.path) }
      .map { ($0.lastPathComponent, $0) }
  }

  private static func unique(_ files: [(name: String, url: URL)]) throws -> [(
    name: String, url: URL
  )] {
    var urls: [String: URL] = [:]
    return try files.filter { name, url in
      if let other = urls.updateValue(url, forKey: name) {
        guard other.path == url.path else {
          throw StoreError.nothing(path: url.path, reason: "two files are called \(name)")
        }
        return false
      }
      return true
    }
  }
}
