import Foundation
import Weights

/// Where models are fetched from, by the conventions of Hugging Face's own client
/// (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables).
public struct Hub: Sendable {
  /// `HF_ENDPOINT`, else Hugging Face's own.
  public let endpoint: String
  /// Sent to the endpoint and to nobody else.
  public let token: String?
  /// Whether nothing may be fetched: only what lies in the cache is used.
  public let isOffline: Bool
  /// The cache that Hugging Face's client fills; it is read, never written.
  public let cache: URL
  /// Where unfinished downloads wait to be taken up again.
  public let downloads: URL

  /// The hub of this user.
  public init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home =
      value("HF_HOME").map { URL(filePath: $0) }
      ?? XDG.cache(environment).appending(path: "huggingface")
    var endpoint = value("HF_ENDPOINT") ?? "https://huggingface.co"
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    self.endpoint = endpoint
    cache = value("HF_HUB_CACHE").map { URL(filePath: $0) } ?? home.appending(path: "hub")
    isOffline = ["1", "true", "yes", "on"].contains(value("HF_HUB_OFFLINE")?.lowercased() ?? "")
    downloads = XDG.cache(environment).appending(path: "reverie/downloads")
    let path = value("HF_TOKEN_PATH").map { URL(filePath: $0) } ?? home.appending(path: "token")
    let kept = try? RegularFile.text(at: path)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    token =
      value("HF_TOKEN") ?? value("HUGGING_FACE_HUB_TOKEN") ?? kept.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// A repository at a revision.
  public struct Address: Sendable, Equatable, CustomStringConvertible {
    /// `org/name`, or `name` of the early models.
    public let repository: String
    /// A branch, a tag or a commit.
    public let revision: String

    /// Reads `hf:org/name`, `hf:org/name@revision`; nil when the text is not of this form.
    public init?(_ text: String) {
      guard text.hasPrefix("hf:") else { return nil }
      let parts = text.dropFirst(3).split(
        separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
      let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
      let revision = parts.count == 2 ? String(parts[1]) : "main"
      func isName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && !name.contains("..") && !name.hasPrefix(".")
          && name.unicodeScalars.allSatisfy {
            $0.isASCII
              && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
                || "-_.".contains(Character($0)))
          }
      }
      guard (1...2).contains(names.count), names.allSatisfy(isName),
        revision.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isName)
      else { return nil }
      repository = String(parts[0])
      self.revision = revision
    }

    /// As it is typed.
    public var description: String { "hf:\(repository)@\(revision)" }
  }

  /// One file of a repository.
  public struct File: Sendable, Equatable {
    /// Its path in the repository.
    public let name: String
    /// Bytes.
    public let size: Int
    /// What its content must hash to.
    public let hash: Hash
  }

  /// A hash by which a content is known.
  public enum Hash: Sendable, Equatable {
    /// Of the content.
    case sha256(String)
    /// Of the content as a blob of git, which small files are known by.
    case gitBlob(String)
  }

  /// What a repository holds at one commit.
  public struct Listing: Sendable, Equatable {
    /// The commit.
    public let commit: String
    /// All files.
    public let files: [File]
    /// The licence that the card states.
    public let licence: String?
  }

  // MARK: What the hub says

  /// Where the listing of a repository is found.
  func listingAddress(_ address: Address) -> String {
    "\(endpoint)/api/models/\(address.repository)/revision/\(escaped(address.revision))?blobs=true"
  }

  /// Where a file is found.
  func fileAddress(_ address: Address, commit: String, _ name: String) -> String {
    let path = name.split(separator: "/").map { escaped(String($0)) }.joined(separator: "/")
    return "\(endpoint)/\(address.repository)/resolve/\(commit)/\(path)"
  }

  private func escaped(_ text: String) -> String {
    let allowed = CharacterSet(
      charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
  }

  /// Reads the hub's answer to `listingAddress`.
  static func listing(_ data: Data, at address: String) throws -> Listing {
    struct Answer: Decodable {
      struct Sibling: Decodable {
        struct LFS: Decodable {
          var sha256: String
          var size: Int
        }
        var rfilename: String
        var size: Int?
        var blobId: String?
        var lfs: LFS?
      }
      struct Card: Decodable {
        var license: String?
        init(from decoder: any Decoder) throws {
          enum Key: String, CodingKey { case license }
          license = try? decoder.container(keyedBy: Key.self).decode(String.self, forKey: .license)
        }
      }
      var sha: String
      var siblings: [Sibling]
      var cardData: Card?
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: data),
      isHexadecimal(answer.sha, 40)
    else { throw StoreError.hub(address: address, reason: "the answer is not one of a hub") }
    let files = answer.siblings.compactMap { sibling -> File? in
      if let lfs = sibling.lfs, isHexadecimal(lfs.sha256, 64), lfs.size >= 0 {
        return File(name: sibling.rfilename, size: lfs.size, hash: .sha256(lfs.sha256))
      }
      guard let blob = sibling.blobId, isHexadecimal(blob, 40), let size = sibling.size, size >= 0
      else { return nil }
      return File(name: sibling.rfilename, size: size, hash: .gitBlob(blob))
    }
    return Listing(commit: answer.sha, files: files, licence: answer.cardData?.license)
  }

  private static func isHexadecimal(_ text: String, _ count: Int) -> Bool {
    text.utf8.count == count && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
  }

  // MARK: What the cache holds

  /// Where the cache keeps a repository.
  private func cached(_ address: Address) -> URL {
    let name = address.repository.replacing("/", with: "--")
    return cache.appending(path: "models--\(name)")
  }

  /// The commit that a revision was when the cache last heard of it.
  func cachedCommit(_ address: Address) -> String? {
    let folder = cached(address)
    if Self.isHexadecimal(address.revision, 40) { return address.revision }
    let text = try? String(
      contentsOf: folder.appending(path: "refs/\(address.revision)"), encoding: .utf8)
    return text?.trimmingCharacters(in: .whitespacesAndNewlines)
      .nonEmpty.flatMap { Self.isHexadecimal($0, 40) ? $0 : nil }
  }

  /// A file in the cache, at a commit.
  func cachedFile(_ address: Address, commit: String, _ name: String) -> URL? {
    let url = cached(address).appending(path: "snapshots/\(commit)/\(name)")
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }

  /// The names of the files that the cache has of a commit.
  func cachedNames(_ address: Address, commit: String) -> [String] {
    let folder = cached(address).appending(path: "snapshots/\(commit)")
    return (try? FileManager.default.subpathsOfDirectory(atPath: folder.path))?.sorted() ?? []
  }
}

extension String {
  fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}

// MARK: - Fetching

extension Hub {
  /// What a repository holds: as the hub says, or, offline, as the cache of Hugging Face's client does.
  /// - Throws: `StoreError.hub`.
  public func listing(of address: Address, _ downloader: Downloader) async throws -> Listing {
    guard isOffline else {
      let there = listingAddress(address)
      return try Self.listing(await downloader.data(there, token: token), at: there)
    }
    guard let commit = cachedCommit(address) else {
      throw StoreError.hub(
        address: "\(address)",
        reason: "HF_HUB_OFFLINE forbids to fetch it, and \(cache.path) does not have it")
    }
    let files = try cachedNames(address, commit: commit).compactMap { name -> File? in
      guard let url = cachedFile(address, commit: commit, name) else { return nil }
      let size =
        try FileManager.default.attributesOfItem(
          atPath: url.resolvingSymlinksInPath().path)[.size] as? Int
      return File(name: name, size: size ?? 0, hash: .sha256(try Checksum.sha256(of: url)))
    }
    return Listing(commit: commit, files: files, licence: nil)
  }

  /// Brings a file to `target`, if it is not there already: out of the cache of Hugging Face's client if it is there and sound,
  /// else over the network.
  public func fetch(
    _ file: File, of address: Address, _ commit: String, to target: URL,
    _ downloader: Downloader, progress: @escaping @Sendable (Int) -> Void
  ) async throws {
    if FileManager.default.fileExists(atPath: target.path) {
      if try file.hash.matches(target) { return progress(file.size) }
      try FileManager.default.removeItem(at: target)
    }
    if let cached = cachedFile(address, commit: commit, file.name)?.resolvingSymlinksInPath(),
      try file.hash.matches(cached)
    {
      // Both names share the bytes where they lie on one disk.
      do {
        try FileManager.default.linkItem(at: cached, to: target)
      } catch {
        try FileManager.default.copyItem(at: cached, to: target)
      }
      progress(file.size)
      return
    }
    let part = try await downloader.fetch(
      fileAddress(address, commit: commit, file.name), token: token, size: file.size,
      hash: file.hash, progress: progress)
    try FileManager.default.moveItem(at: part, to: target)
  }
}
