import Foundation
import Models
import Synchronization
import Testing
import Torch
import Weights
import TestSupport

@testable import Library

/// Against a server on loopback that serves the routes of the hub, breaks off, and lies.
@Suite struct PullingTests {
  private static let commit = "0123456789abcdef0123456789abcdef01234567"

  /// How the server behaves.
  private struct Manners: Sendable {
    /// Bytes after which each answer of weights is cut.
    var cutAfter: Int?
    /// Whether what is served differs from what is announced.
    var lies = false
    /// The status of every answer.
    var status = 200
    /// Whether files lie elsewhere, as the hub's do.
    var redirects = false
    /// On which host; the same one if empty.
    var host = ""
    /// Whether ranges are ignored.
    var ignoresRanges = false
  }

  /// A repository with a tiny CLIP.
  private static func files() throws -> [String: [UInt8]] {
    let folder = try ScratchFolder.make("hub")
    let url = folder.appending(path: "model.safetensors")
    let config = CLIP.Config(
      embedDim: 16, vision: .init(imageSize: 16, patchSize: 8, width: 64, layers: 1),
      text: .init(contextLength: 16, vocabSize: 518, width: 64, heads: 1, layers: 1))
    let source = Initializer(seed: 3)
    _ = CLIP(Parameters(source), config)
    let tensors = source.parameters.map { ($0.key, $0.tensor.detached()) }
    try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: url)
    return [
      "model.safetensors": [UInt8](try Data(contentsOf: url)),
      "config.json": Array(#"{"model_type": "clip"}"#.utf8), "README.md": Array("a card".utf8),
    ]
  }

  /// What `git hash-object` says of the small files.
  private static let blobs = [
    "config.json": "6d71d5947a0a8a2ad1517d775879c0ba7ac762dc",
    "README.md": "31579bd13460f9850e63f0997bab4b4d8ac42326",
  ]

  private func server(_ files: [String: [UInt8]], _ manners: Manners) throws -> LoopbackServer {
    let siblings = files.sorted { $0.key < $1.key }.map { name, bytes in
      if name.hasSuffix(".safetensors") {
        let sha = Checksum.sha256(of: bytes)
        return #"{"rfilename": "\#(name)", "lfs": {"sha256": "\#(sha)", "size": \#(bytes.count)}}"#
      }
      let sha = Self.blobs[name] ?? ""
      return #"{"rfilename": "\#(name)", "size": \#(bytes.count), "blobId": "\#(sha)"}"#
    }
    let listing =
      #"{"sha": "\#(Self.commit)", "cardData": {"license": "mit"}, "siblings": [\#(siblings.joined(separator: ","))]}"#
    return try LoopbackServer { request in
      guard manners.status == 200 else { return .init(status: manners.status) }
      if request.path.hasPrefix("/api/models/org/name/revision/main") {
        return .init(body: Array(listing.utf8))
      }
      let name = String(request.path.split(separator: "/").last ?? "")
      guard var bytes = files[name] else { return .init(status: 404) }
      if manners.redirects, !request.path.hasPrefix("/store/") {
        return .init(status: 302, headers: ["Location": "\(manners.host)/store/\(name)"])
      }
      if manners.lies, name.hasSuffix(".safetensors") { bytes[bytes.count / 2] ^= 1 }
      var answer = LoopbackServer.Answer()
      if let range = request.headers["range"], !manners.ignoresRanges,
        let start = Int(range.dropFirst("bytes=".count).dropLast())
      {
        answer.status = 206
        answer.headers["Content-Range"] = "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"
        bytes.removeFirst(start)
      }
      answer.body = bytes
      answer.cutAfter = name.hasSuffix(".safetensors") ? manners.cutAfter : nil
      return answer
    }
  }

  private func environment(_ server: LoopbackServer, _ folder: URL) -> [String: String] {
    [
      "HF_ENDPOINT": server.address, "XDG_CACHE_HOME": folder.appending(path: "cache").path,
      "HF_TOKEN": "secret",
    ]
  }

  private func left(_ folder: URL) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  }

  @Test("a repository is fetched and installed, over redirections and broken connections")
  func pulls() async throws {
    let files = try Self.files()
    for manners in [
      Manners(), Manners(cutAfter: 30_000), Manners(redirects: true),
      Manners(cutAfter: 100_000, redirects: true),
    ] {
      let folder = try ScratchFolder.make("pull")
      let server = try server(files, manners)
      defer { server.stop() }
      let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
      let hub = Hub(environment(server, folder))
      let most = Mutex(0)
      let model = try await library.pull("hf:org/name", hub: hub) { fetching in
        most.withLock { $0 = max($0, fetching.done) }
      }
      #expect(model.record.id == "name")
      #expect(model.record.kind == "clip")
      #expect(model.record.licence == "mit")
      #expect(model.record.source == "hf:org/name@\(Self.commit)")
      #expect(Set(model.record.files.keys) == ["model.safetensors", "config.json"])
      #expect(library.store.problems(of: model).isEmpty)
      let size = try #require(files["model.safetensors"]).count + 22
      #expect(most.withLock { $0 } == size)
      #expect(left(hub.downloads).isEmpty)
      #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
    }
  }

  @Test("the token goes to the hub and not to the host that it sends on to")
  func token() async throws {
    let files = try Self.files()
    let folder = try ScratchFolder.make("pull")
    let store = try server(files, Manners())
    defer { store.stop() }
    let server = try server(files, Manners(redirects: true, host: store.address))
    defer { server.stop() }
    let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    _ = try await library.pull("hf:org/name", hub: Hub(environment(server, folder)))
    #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
    #expect(store.requests.count == 2)
    #expect(store.requests.allSatisfy { $0.headers["authorization"] == nil })
  }

  @Test("a fetch that was cut off is taken up where it stopped")
  func resumes() async throws {
    let files = try Self.files()
    let folder = try ScratchFolder.make("pull")
    let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    // Every connection gives nothing after the first bytes, so the first run gives up.
    let isHealed = Mutex(false)
    let good = try server(files, Manners())
    defer { good.stop() }
    let bytes = try #require(files["model.safetensors"])
    let server = try LoopbackServer { request in
      let name = String(request.path.split(separator: "/").last ?? "")
      if name != "model.safetensors" {
        if request.path.hasPrefix("/api") {
          let sha = Checksum.sha256(of: bytes)
          let listing =
            #"{"sha": "\#(Self.commit)", "siblings": [{"rfilename": "model.safetensors", "#
            + #""lfs": {"sha256": "\#(sha)", "size": \#(bytes.count)}}]}"#
          return .init(body: Array(listing.utf8))
        }
        return .init(status: 404)
      }
      let start = request.headers["range"].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
      var answer = LoopbackServer.Answer(status: start > 0 ? 206 : 200)
      if start > 0 { answer.headers["Content-Range"] = "bytes \(start)-\(bytes.count - 1)/*" }
      answer.body = Array(bytes[start...])
      if !isHealed.withLock({ $0 }) { answer.cutAfter = start == 0 ? 50_000 : 0 }
      return answer
    }
    defer { server.stop() }
    let hub = Hub(environment(server, folder))
    let error = await #expect(throws: StoreError.self) {
      try await library.pull("hf:org/name", hub: hub)
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("to go on"))
    #expect(library.store.models().isEmpty)
    #expect(left(hub.downloads).contains { $0.hasSuffix(".part") })
    isHealed.withLock { $0 = true }
    let model = try await library.pull("hf:org/name", hub: hub)
    #expect(library.store.problems(of: model).isEmpty)
    // What was in flight when the connection broke may be lost, but not the rest.
    let range = try #require(server.requests.last?.headers["range"])
    #expect(try #require(Int(range.dropFirst(6).dropLast())) > 10_000)
  }

  @Test("a connection that falls silent is given up, and taken up again")
  func silence() async throws {
    let bytes = [UInt8](repeating: 7, count: 100_000)
    let server = try LoopbackServer { request in
      guard let range = request.headers["range"], let start = Int(range.dropFirst(6).dropLast())
      else { return .init(body: bytes, cutAfter: 60_000, stalls: true) }
      return .init(
        status: 206, headers: ["Content-Range": "bytes \(start)-99999/100000"],
        body: Array(bytes[start...]))
    }
    defer { server.stop() }
    let downloader = Downloader(folder: try ScratchFolder.make("pull"), patience: 3)
    let part = try await downloader.fetch(
      server.address, size: bytes.count, hash: .sha256(Checksum.sha256(of: bytes))
    ) { _ in }
    #expect(try Data(contentsOf: part).count == bytes.count)
    // On a busy machine the second may be given up, too.
    let ranges = server.requests.map { $0.headers["range"] }
    #expect(ranges.first == .some(nil) && ranges.dropFirst().allSatisfy { $0 == "bytes=60000-" })
    #expect(ranges.count > 1)
  }

  @Test("a fetch that nobody wants any more ends, and what came of it stays")
  func cancellation() async throws {
    let server = try LoopbackServer { _ in
      .init(body: [UInt8](repeating: 7, count: 100_000), cutAfter: 60_000, stalls: true)
    }
    defer { server.stop() }
    let folder = try ScratchFolder.make("pull")
    let (bytes, came) = AsyncStream.makeStream(of: Int.self)
    let fetch = Task {
      try await Downloader(folder: folder).fetch(server.address, size: 100_000, hash: nil) {
        came.yield($0)
      }
    }
    for await count in bytes where count == 60_000 { break }
    fetch.cancel()
    await #expect(throws: CancellationError.self) { try await fetch.value }
    #expect(left(folder).count == 1)
  }

  @Test("a portal's page is kept from what was begun, and the file comes when the network is open")
  func portal() async throws {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    let isOpen = Atomic(false)
    let pages: [LoopbackServer.Answer] = [
      .init(body: Array("log in here".utf8)),
      .init(headers: ["Content-Type": "text/html; charset=utf-8"], body: Array(bytes.prefix(7))),
      .init(body: Array("<!doctype html><p>".utf8)),
    ]
    for page in pages {
      isOpen.store(false, ordering: .relaxed)
      let server = try LoopbackServer { _ in
        isOpen.load(ordering: .relaxed) ? .init(body: bytes) : page
      }
      defer { server.stop() }
      let folder = try ScratchFolder.make("pull")
      let downloader = Downloader(folder: folder)
      let hash = Hub.Hash.sha256(Checksum.sha256(of: bytes))
      let error = await #expect(throws: StoreError.self) {
        try await downloader.fetch(server.address, size: bytes.count, hash: hash) { _ in }
      }
      #expect(error?.description.contains("log in") == true)
      #expect(left(folder) == [])
      isOpen.store(true, ordering: .relaxed)
      let part = try await downloader.fetch(server.address, size: bytes.count, hash: hash) { _ in }
      #expect(try Data(contentsOf: part) == Data(bytes))
    }
  }

  @Test("each try that fails is told while the next is waited for")
  func waiting() async throws {
    let told = Mutex<[String]>([])
    let downloader = Downloader(folder: try ScratchFolder.make("pull")) { problem in
      told.withLock { $0.append(problem) }
    }
    // Nothing listens at this port.
    await #expect(throws: StoreError.self) {
      try await downloader.fetch("http://127.0.0.1:9/x", size: nil, hash: nil) { _ in }
    }
    let problems = told.withLock { $0 }
    #expect(problems.count == 4)
    #expect(problems.first?.contains("cannot be reached") == true)
    #expect(problems.last?.hasSuffix("trying again, 5 of 5") == true)
  }

  @Test("what is not as announced, refused or missing is an error, and nothing is installed")
  func refusals() async throws {
    let files = try Self.files()
    for (manners, words) in [
      (Manners(lies: true), "hash"), (Manners(status: 401), "HF_TOKEN"),
      (Manners(status: 404), "check the name"), (Manners(status: 500), "again and again"),
    ] {
      let folder = try ScratchFolder.make("pull")
      let server = try server(files, manners)
      defer { server.stop() }
      let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
      let hub = Hub(environment(server, folder))
      let error = await #expect(throws: StoreError.self) {
        try await library.pull("hf:org/name", hub: hub)
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains(words))
      #expect(left(library.store.folder).isEmpty)
      #expect(!left(hub.downloads).contains { $0.hasSuffix(".part") })
    }
  }

  @Test("a server that ignores ranges is taken from the start")
  func ranges() async throws {
    let files = try Self.files()
    let folder = try ScratchFolder.make("pull")
    let server = try server(files, Manners(ignoresRanges: true))
    defer { server.stop() }
    let hub = Hub(environment(server, folder))
    let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    let model = try await library.pull("hf:org/name", hub: hub)
    #expect(library.store.problems(of: model).isEmpty)
  }

  @Test("what Hugging Face's cache holds is not fetched again, and is enough offline")
  func cache() async throws {
    let files = try Self.files()
    let folder = try ScratchFolder.make("pull")
    let server = try server(files, Manners())
    defer { server.stop() }
    var environment = environment(server, folder)
    let snapshot = folder.appending(
      path: "cache/huggingface/hub/models--org--name/snapshots/\(Self.commit)")
    let refs = folder.appending(path: "cache/huggingface/hub/models--org--name/refs")
    for url in [snapshot, refs] {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    for (name, bytes) in files { try Data(bytes).write(to: snapshot.appending(path: name)) }
    try Data(Self.commit.utf8).write(to: refs.appending(path: "main"))

    var particulars = ModelLibrary.Particulars()
    particulars.id = "online"
    let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    try await #expect(
      library.pull("hf:org/name", particulars, hub: Hub(environment)).record.kind == "clip")
    #expect(server.requests.count == 1, "only the listing")

    environment["HF_HUB_OFFLINE"] = "1"
    particulars.id = "offline"
    try await #expect(
      library.pull("hf:org/name", particulars, hub: Hub(environment)).record.kind == "clip")
    #expect(server.requests.count == 1)
    let error = await #expect(throws: StoreError.self) {
      try await library.pull("hf:org/other", hub: Hub(environment))
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("HF_HUB_OFFLINE"))
  }

  @Test("a name that is taken is told before anything is fetched")
  func taken() async throws {
    let folder = try ScratchFolder.make("pull")
    let server = try server(Self.files(), Manners())
    defer { server.stop() }
    let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    let hub = Hub(environment(server, folder))
    _ = try await library.pull("hf:org/name", hub: hub)
    let count = server.requests.count
    await #expect(throws: StoreError.exists(id: "name")) {
      try await library.pull("hf:org/name", hub: hub)
    }
    #expect(server.requests.count == count)
  }

  @Test(
    "addresses are read, and nothing else is taken for one",
    arguments: [
      ("hf:org/name", "org/name", "main"), ("hf:gpt2", "gpt2", "main"),
      ("hf:org/name@v1.0", "org/name", "v1.0"), ("hf:org/name@refs/pr/1", "org/name", "refs/pr/1"),
      ("org/name", nil, nil), ("hf:", nil, nil), ("hf:a/b/c", nil, nil), ("hf:../x", nil, nil),
      ("hf:org/name@", nil, nil), ("hf:org/na me", nil, nil), ("hf:org/name@../..", nil, nil),
    ] as [(String, String?, String?)])
  func addresses(text: String, repository: String?, revision: String?) {
    let address = Hub.Address(text)
    #expect(address?.repository == repository)
    #expect(address?.revision == revision)
  }

  @Test("the registry is sound: names, addresses, hashes")
  func registry() throws {
    let known = try KnownModel.all()
    #expect(known.count > 15)
    #expect(Set(known.map(\.id)).count == known.count)
    for model in known {
      #expect(ModelRecord.isID(model.id))
      #expect(model.hub.map { Hub.Address($0) != nil } ?? (model.files?.isEmpty == false))
      for file in model.files ?? [] {
        #expect(URL(string: file.url)?.scheme == "https")
        #expect(file.sha256.map { $0.count == 64 } ?? (model.verified == "none"))
      }
    }
  }
}
