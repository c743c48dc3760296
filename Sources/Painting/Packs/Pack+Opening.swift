import EmbeddedPack
import Foundation
import Library
import Models
import Tokenizers
import Weights

/// A pack folder whose manifest has been read and found sound. Its files are checked when they are
/// loaded.
public struct Pack: Sendable {
  /// The folder.
  public let folder: URL
  /// What `pack.json` says.
  public let manifest: PackManifest
  private let networks: [Architecture.ID: Component]

  /// A network of the pack.
  struct Component: Sendable {
    /// Its file, in the pack's folder.
    let file: String
    let config: any NetworkConfig
  }

  /// The file of the vocabulary.
  public static let tokenizerFile = "tokenizer.json"

  /// Reads and checks `pack.json`.
  /// - Parameter registry: the networks and methods that are known.
  /// - Throws: `PaintingError.badPack`.
  public init(folder: URL, registry: Registry = .builtIn) throws {
    let url = folder.appending(path: "pack.json")
    func bad(_ reason: String) -> PaintingError { .badPack(path: folder.path, reason: reason) }
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw bad("it has no readable pack.json")
    }
    let data: Data
    do throws(WeightsError) {
      data = try RegularFile.data(at: url, limit: 1 << 20)
    } catch {
      guard case .file(_, let reason) = error else { throw error }
      throw bad("its pack.json cannot be read: \(reason)")
    }
    do {
      manifest = try JSONDecoder().decode(PackManifest.self, from: data)
    } catch let error as DecodingError {
      throw bad("in its pack.json " + Self.words(error))
    }
    if let problem = manifest.problem { throw bad(problem) }
    do {
      networks = try manifest.networks.reduce(into: [:]) { networks, network in
        networks[network.key] = try Self.component(network.key, network.value, registry)
      }
    } catch let problem as PackProblem {
      throw bad(problem.description)
    }
    self.folder = folder
    for method in registry.methods {
      if let problem = method.packProblem(self) { throw bad(problem) }
    }
  }

  /// The pack's network of an architecture; nil where it has none.
  func network(_ architecture: Architecture.ID) -> Component? { networks[architecture] }

  /// The sizes of the pack's network of this kind; nil where it has none.
  public func config<N: Network>(of type: N.Type) -> N.Config? {
    networks[N.architecture.id]?.config as? N.Config
  }

  /// The file of the pack's network of this kind, not yet checked; nil where it has none.
  public func file<N: Network>(of type: N.Type) -> URL? {
    networks[N.architecture.id].map { folder.appending(path: $0.file) }
  }

  /// The file `name`, after its size and checksum were found right.
  /// - Throws: `PaintingError.badPackFile` naming the file.
  func checkedFile(_ name: String) throws -> URL {
    let url = folder.appending(path: name)
    guard let file = manifest.files[name] else {
      throw PaintingError.badPackFile(path: url.path, reason: "is not listed in pack.json")
    }
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    guard let size = attributes?[.size] as? Int else {
      throw PaintingError.badPackFile(path: url.path, reason: "is missing or cannot be read")
    }
    guard size == file.size else {
      throw PaintingError.badPackFile(
        path: url.path, reason: "has \(size) bytes where \(file.size) are expected")
    }
    guard try Checksum.sha256(of: url) == file.sha256.lowercased() else {
      throw PaintingError.badPackFile(
        path: url.path, reason: "is damaged: its SHA-256 is not the one in pack.json")
    }
    return url
  }

  /// The vocabulary, of which each network that reads texts must know all tokens.
  func tokenizer() throws -> CLIPTokenizer {
    let tokenizer = try CLIPTokenizer(contentsOf: checkedFile(Self.tokenizerFile))
    for (name, network) in networks.sorted(by: { $0.key < $1.key }) {
      guard let count = network.config.vocabularySize, count < tokenizer.vocabularySize else {
        continue
      }
      throw PaintingError.badPack(
        path: folder.path,
        reason: "\(name) knows \(count) tokens and the tokenizer has \(tokenizer.vocabularySize)")
    }
    return tokenizer
  }

  // MARK: Reading

  private static func component(
    _ id: Architecture.ID, _ network: PackManifest.Network, _ registry: Registry
  ) throws -> Component {
    guard let architecture = registry.architectures.first(where: { $0.id == id }) else {
      throw PackProblem("its pack.json has a network '\(id.prefix(40))', which this program lacks")
    }
    let config: any NetworkConfig
    do {
      config = try architecture.config(from: JSONEncoder().encode(network.config))
    } catch let error as DecodingError {
      throw PackProblem("in '\(id)' of its pack.json " + words(error))
    } catch {
      throw PackProblem("\(error)")
    }
    if let problem = config.problem {
      throw PackProblem("under '\(id)' of its pack.json \(problem)")
    }
    return Component(file: network.file, config: config)
  }

  private static func words(_ error: DecodingError) -> String {
    func path(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? "the document" : "'\(path)'"
    }
    return switch error {
    case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "\(path(context)) is of another type than it should be"
    case .dataCorrupted(let context): "\(path(context)) is not valid"
    @unknown default: "something is not valid"
    }
  }
}

/// A reason, to be wrapped in `PaintingError.badPack`.
private struct PackProblem: Error {
  let description: String
  init(_ description: String) { self.description = description }
}

// MARK: - Soundness

extension PackManifest {
  /// What is wrong with the manifest by itself; nil when nothing is.
  var problem: String? {
    guard (1...Self.currentSchema).contains(schema) else {
      return "its pack.json has schema \(schema), and this program reads \(Self.currentSchema)"
    }
    guard (16...4096).contains(pictureSize), (16...4096).contains(largestSize) else {
      return "'pictureSize' and 'largestSize' must be from 16 to 4096"
    }
    for (name, file) in files {
      guard !name.contains("/"), !name.contains("\0"), !name.hasPrefix("."), !name.isEmpty else {
        return "it lists a file with the name '\(name.prefix(40))'"
      }
      guard file.size >= 0, file.sha256.count == 64, file.sha256.allSatisfy(\.isHexDigit) else {
        return "size or sha256 of '\(name)' is not valid"
      }
    }
    for (id, network) in networks.sorted(by: { $0.key < $1.key }) where files[network.file] == nil {
      return "it describes \(id) but does not list \(network.file)"
    }
    if !networks.isEmpty, files[Pack.tokenizerFile] == nil {
      return "it does not list \(Pack.tokenizerFile)"
    }
    return nil
  }
}

extension Pack {
  /// The folder of the pack that ships with the program.
  public static var embedded: URL { EmbeddedPack.folder }
}
