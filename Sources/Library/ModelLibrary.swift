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
    return try files.compactMap { try recognition(of: $0, isAlone: files.count == 1) }
  }

  /// nil where another of a folder's files stands for this one, too.
  private func recognition(of file: URL, isAlone: Bool) throws -> Recognition? {
    try Self.open(file, isAlone: isAlone).map { try Recognition(of: $0, among: architectures) }
  }

  /// A file of weights, with those that hold its network together with it; nil where another of a folder's
  /// files stands for them all.
  private static func open(_ url: URL, isAlone: Bool) throws -> (any TensorFile)? {
    let (folder, name) = FolderLayout.place(of: url)
    let named = FolderLayout.parts(of: name)
    let parts = named?.map { (part: $0.part, url: folder.appending(path: $0.name)) }
    guard let named, let parts,
      parts.allSatisfy({ FileManager.default.fileExists(atPath: $0.url.path) })
    else { return try openTensors(at: url) }
    guard isAlone || named[0].name == name else { return nil }
    return try JoinedFile(parts)
  }

  /// What a path holds that can be painted with. In a folder, what is none is passed over where
  /// something is: trainers leave the states of optimisers and the like beside their networks.
  private func networks(at url: URL, isAlone: Bool = true) throws -> [Recognition] {
    guard Self.isFolder(url) else {
      guard let found = try recognition(of: url, isAlone: isAlone) else { return [] }
      guard found.architecture != nil else {
        throw StoreError.nothing(path: url.path, reason: "it holds \(found.title)")
      }
      return [found]
    }
    var (found, strangers) = ([Recognition](), [any Error]())
    let files = try Self.weights(at: url)
    for file in files {
      do {
        found += try networks(at: file, isAlone: files.count == 1)
      } catch StoreError.nothing(let path, let reason) {
        strangers.append(StoreError.nothing(path: path, reason: reason))
      } catch WeightsError.unknown(let path, let reason) {
        strangers.append(WeightsError.unknown(path: path, reason: reason))
      }
    }
    if found.isEmpty, let error = strangers.first { throw error }
    return found
  }

  private static func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  private static func weights(at url: URL) throws -> [URL] {
    guard isFolder(url) else { return [url] }
    var names = try FileManager.default.contentsOfDirectory(atPath: url.path)
    names += (["checkpoints/last.ckpt"] + FolderLayout.pipelineNames).filter {
      FileManager.default.fileExists(atPath: url.appending(path: $0).path)
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
    for url in urls { try Self.refuseIfEmpty(url) }
    let hasWeights = try Self.isFolder(first) && !Self.weights(at: first).isEmpty
    if urls.count == 1, !hasWeights, let tokenizer = try? CLIPTokenizer(vocabularyAt: first) {
      record.kind = .vocabulary
      record.title = "vocabulary of \(tokenizer.vocabularySize) tokens"
      return try store.add(
        record, files: Self.vocabularyFiles(at: first), placement, progress: progress)
    }
    let beside = urls.filter { Self.companions[$0.lastPathComponent] != nil }
    let found = try urls.filter { !beside.contains($0) }.flatMap { try networks(at: $0) }
    if found.isEmpty, let name = beside.first?.lastPathComponent, let what = Self.companions[name] {
      throw StoreError.nothing(
        path: first.path,
        reason: "it is \(what). Add it together with its networks, from one folder or as: "
          + "reverie models add NETWORK … \(name)")
    }
    guard !found.isEmpty else {
      throw StoreError.nothing(path: first.path, reason: "there are no weights in this folder")
    }
    try Self.describe(found, at: first, in: &record)
    let files =
      try found.flatMap { try Self.files(of: $0) } + beside.map { ($0.lastPathComponent, $0) }
    try Self.checkDictionary(of: found, among: files.map(\.1))
    return try store.add(record, files: Self.unique(files), placement, progress: progress)
  }

  /// Files that hold no network and belong to one, by name, and what they are.
  private static let companions = [
    AttnGAN.dictionaryFile: "the dictionary of an AttnGAN",
    UnCLIPPrior.statisticsFile: "mean and deviation of what a prior finds",
    "encoder.json": "a vocabulary", "encoder.json.gz": "a vocabulary", "vocab.bpe": "a vocabulary",
    "vocab.bpe.gz": "a vocabulary",
  ]

  /// A download of nothing is no file of anything.
  private static func refuseIfEmpty(_ url: URL) throws {
    let size =
      try? FileManager.default.attributesOfItem(
        atPath: url.resolvingSymlinksInPath().path)[.size] as? Int
    guard size == 0, !isFolder(url) else { return }
    _ = try MappedFile(url)
    throw StoreError.nothing(path: url.path, reason: "it is empty (0 bytes); download it again")
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

  /// One model may be of several networks, such as the two halves of DALL·E's dVAE or a transformer and
  /// the VQGAN whose codes it writes, but is used as one thing.
  private static func describe(_ found: [Recognition], at url: URL, in record: inout ModelRecord)
    throws
  {
    let titles = found.map(\.title)
    let several = found.map { "\($0.file.url.lastPathComponent) (\($0.title))" }
    let networks = found.compactMap(\.architecture)
    let lead = networks.first { lead in
      networks.allSatisfy { $0.kind == lead.kind || lead.partners.contains($0.id) }
    }
    guard let lead, Set(networks.map(\.id)).count == networks.count else {
      throw StoreError.nothing(
        path: url.path,
        reason: "it holds several networks, which are added one by one: "
          + several.joined(separator: ", "))
    }
    record.title = titles.indices.filter { !titles[..<$0].contains(titles[$0]) }.map { titles[$0] }
      .joined(separator: " and ")
    record.kind = ModelRecord.Kind(rawValue: lead.kind)
    record.components = found.reduce(into: [:]) { components, recognition in
      guard let architecture = recognition.architecture else { return }
      components[architecture.id] = .init(
        file: storedName(recognition.file.url),
        prefix: recognition.prefix.isEmpty ? nil : recognition.prefix)
    }
    for recognition in found {
      if let problem = try recognition.fit()?.problem {
        throw WeightsError.mismatch(path: recognition.file.url.path, summary: problem)
      }
    }
  }

  /// A dictionary that its text encoder cannot use is of another AttnGAN.
  private static func checkDictionary(of found: [Recognition], among urls: [URL]) throws {
    guard let url = urls.first(where: { $0.lastPathComponent == AttnGAN.dictionaryFile }) else {
      return
    }
    let words = try CaptionsFile(contentsOf: url).ids.values.max() ?? 0
    for recognition in found {
      guard let config = recognition.config as? AttnGANText.Config, words >= config.words else {
        continue
      }
      throw StoreError.nothing(
        path: url.path,
        reason: "its words are numbered up to \(words), and "
          + "\(recognition.file.url.lastPathComponent) knows \(config.words)")
    }
  }

  /// A file of weights with its parts and with what lies beside it and is used.
  private static func files(of recognition: Recognition) throws -> [(name: String, url: URL)] {
    let url = recognition.file.url
    let folder = url.deletingLastPathComponent()
    var urls = [url] + recognition.file.parts
    urls += (recognition.architecture?.sidecars(url) ?? []).map { folder.appending(path: $0) }
    return urls.filter { FileManager.default.fileExists(atPath: $0.path) }
      .map { (storedName($0), $0) }
  }

  private static func storedName(_ url: URL) -> String {
    FolderLayout.storedName(FolderLayout.place(of: url).name)
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
