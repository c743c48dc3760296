import Foundation
import Weights

// Models fetched over the network: from a hub, or by a name of the registry.

extension ModelLibrary {
  /// How a fetch stands.
  public struct Fetching: Sendable {
    /// The file that is being fetched.
    public let file: String
    /// Bytes that are there, of all files.
    public let done: Int
    /// Bytes of all files, as far as they are known.
    public let total: Int
  }

  /// Fetches a model and installs it. What was begun and cut off is taken up again.
  ///
  /// - Parameters:
  ///   - source: `hf:org/name@revision`, or a name of the registry.
  ///   - hub: where from, and with which token.
  ///   - progress: called as bytes come.
  ///   - waiting: called with what goes wrong before another try.
  /// - Throws: `StoreError`, `WeightsError`. The store is as it was then.
  public func pull(
    _ source: String, _ particulars: Particulars = .init(), hub: Hub = Hub(),
    progress: @escaping @Sendable (Fetching) -> Void = { _ in },
    waiting: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws -> ModelStore.Model {
    var particulars = particulars
    let address: Hub.Address
    if let given = Hub.Address(source) {
      address = given
      particulars.id =
        particulars.id
        ?? ModelRecord.id(from: given.repository.split(separator: "/").last.map(String.init) ?? "")
    } else if let known = try KnownModel.all().first(where: { $0.id == source }) {
      particulars.id = particulars.id ?? known.id
      particulars.licence = particulars.licence ?? known.licence
      guard let repository = known.hub, let there = Hub.Address(repository) else {
        try refuseIfInstalled(particulars)
        return try await pull(known, particulars, hub: hub, waiting, progress)
      }
      address = there
    } else {
      throw StoreError.nothing(
        path: source,
        reason: "it is neither hf:org/name nor a name of the registry; see: "
          + "reverie models list --known")
    }
    try refuseIfInstalled(particulars)
    return try await pull(address, particulars, hub: hub, waiting, progress)
  }

  /// A name that is taken is told before a gigabyte has been fetched.
  private func refuseIfInstalled(_ particulars: Particulars) throws {
    if let id = particulars.id, (try? store.model(id)) != nil { throw StoreError.exists(id: id) }
  }

  /// Fetches files into a folder of their own names and installs what is in it. The folder follows from
  /// the source, so that files which a killed fetch completed are found again.
  private func install(
    _ particulars: Particulars, hub: Hub, from source: String,
    _ fetch: (URL) async throws -> [String: FileRecord]
  ) async throws -> ModelStore.Model {
    let name = Checksum.sha256(of: source).prefix(16)
    let staging = hub.downloads.appending(path: "\(name).staging")
    try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
    let lock = hub.downloads.appending(path: "\(name).lock")
    let descriptor = open(lock.path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw StoreError.nothing(path: source, reason: "another reverie is fetching it just now")
    }
    var particulars = particulars
    particulars.expected = try await fetch(staging)
    let names = try FileManager.default.contentsOfDirectory(atPath: staging.path)
    let urls = names.count == 1 ? [staging.appending(path: names[0])] : [staging]
    let model = try add(urls, particulars, .move)
    try? FileManager.default.removeItem(at: staging)
    try? FileManager.default.removeItem(at: lock)
    return model
  }

  // MARK: The registry

  private func pull(
    _ known: KnownModel, _ particulars: Particulars, hub: Hub,
    _ waiting: @escaping @Sendable (String) -> Void,
    _ progress: @escaping @Sendable (Fetching) -> Void
  ) async throws -> ModelStore.Model {
    guard !hub.isOffline else {
      throw StoreError.hub(address: known.page, reason: "HF_HUB_OFFLINE forbids to fetch it")
    }
    var particulars = particulars
    particulars.source = known.files?.first?.url ?? known.page
    let files = known.files ?? []
    let total = files.reduce(0) { $0 + ($1.size ?? 0) }
    let downloader = Downloader(folder: hub.downloads, waiting: waiting)
    return try await install(particulars, hub: hub, from: known.id) { staging in
      var expected: [String: FileRecord] = [:]
      var before = 0
      for file in files {
        let start = before
        let target = staging.appending(path: file.name)
        if !FileManager.default.fileExists(atPath: target.path) {
          let part = try await downloader.fetch(
            file.url, size: file.size, hash: file.sha256.map { .sha256($0) }
          ) { progress(Fetching(file: file.name, done: start + $0, total: total)) }
          try FileManager.default.moveItem(at: part, to: target)
        }
        before += file.size ?? 0
        if let sha256 = file.sha256 {
          expected[file.name] = .init(size: file.size ?? 0, sha256: sha256)
        }
      }
      return expected
    }
  }

  // MARK: The hub

  private func pull(
    _ address: Hub.Address, _ particulars: Particulars, hub: Hub,
    _ waiting: @escaping @Sendable (String) -> Void,
    _ progress: @escaping @Sendable (Fetching) -> Void
  ) async throws -> ModelStore.Model {
    var particulars = particulars
    let downloader = Downloader(folder: hub.downloads, waiting: waiting)
    let listing = try await hub.listing(of: address, downloader)
    particulars.source = "hf:\(address.repository)@\(listing.commit)"
    particulars.licence = particulars.licence ?? listing.licence
    let names = listing.files.map(\.name)
    let weights = FolderLayout.weights(among: names)
    let vocabulary = FolderLayout.vocabularies.filter(names.contains)
    guard !weights.isEmpty || !vocabulary.isEmpty else {
      throw StoreError.hub(
        address: "\(address)", reason: "it holds no weights that Reverie reads")
    }
    let wanted = weights + FolderLayout.sidecars.filter(names.contains)
    return try await install(
      particulars, hub: hub, from: "\(hub.endpoint) \(particulars.source ?? "")"
    ) { staging in
      var queue = listing.files.filter { wanted.contains($0.name) }
      var expected: [String: FileRecord] = [:]
      var before = 0
      while !queue.isEmpty {
        let file = queue.removeFirst()
        let (start, total) = (before, before + queue.reduce(file.size) { $0 + $1.size })
        let target = staging.appending(path: FolderLayout.storedName(file.name))
        try await hub.fetch(file, of: address, listing.commit, to: target, downloader) {
          progress(Fetching(file: file.name, done: start + $0, total: total))
        }
        before += file.size
        if case .sha256(let sha256) = file.hash {
          expected[target.lastPathComponent] = .init(size: file.size, sha256: sha256)
        }
        if file.name.hasSuffix(".index.json") {
          let parts = try ShardedFile.parts(namedIn: target)
          queue += listing.files.filter { parts.contains($0.name) }
        }
      }
      return expected
    }
  }
}
