import Foundation
import Torch

/// A checkpoint in several files with an index, `model.safetensors.index.json` or
/// `pytorch_model.bin.index.json` (https://huggingface.co/docs/safetensors/index#sharded-weights).
public final class ShardedFile: TensorFile {
  /// Where the index lies; the parts lie beside it.
  public let url: URL
  /// Always `.sharded`.
  public let container = Container.sharded
  /// See `TensorFile`.
  public let entries: [String: TensorEntry]
  /// See `TensorFile`.
  public let names: [String]
  /// See `TensorFile`.
  public let metadata: [String: String]
  /// See `TensorFile`.
  public let foreign: [String]

  /// See `TensorFile`.
  public let unread: [String: String]
  /// Where the parts lie.
  public let parts: [URL]

  private let holders: [String: any TensorFile]

  private struct Index: Decodable {
    let weight_map: [String: String]
  }

  /// Opens the index and every part.
  ///
  /// - Throws: `WeightsError` when the index or a part cannot be read, a part lies elsewhere than
  ///   beside the index, or a tensor is not where the index says.
  public init(contentsOf url: URL) throws {
    let map = try Self.map(url)
    var files: [String: any TensorFile] = [:]
    for name in Set(map.values).sorted() {
      files[name] = try openTensors(at: url.deletingLastPathComponent().appending(path: name))
    }
    var entries: [String: TensorEntry] = [:]
    var holders: [String: any TensorFile] = [:]
    var unread: [String: String] = [:]
    for (key, part) in map {
      // flax's index has slashes where its files, as they are read here, have points.
      let name = files[part]?.container == .flax ? key.replacing("/", with: ".") : key
      if let type = files[part]?.unread[name] {
        unread[name] = type
        continue
      }
      guard let file = files[part], let entry = file.entries[name] else {
        throw Self.bad(url, "'\(name.prefix(120))' is not in \(part)")
      }
      entries[name] = entry
      holders[name] = file
    }
    self.url = url
    self.entries = entries
    self.holders = holders
    self.unread = unread
    parts = files.values.map(\.url).sorted { $0.path < $1.path }
    names = entries.keys.sorted()
    metadata = files.sorted { $0.key < $1.key }.first?.value.metadata ?? [:]
    foreign = Set(files.values.flatMap(\.foreign)).sorted()
  }

  /// The names of the parts that an index lists.
  public static func parts(namedIn url: URL) throws -> Set<String> { Set(try map(url).values) }

  /// From the tensors' names to the parts'.
  private static func map(_ url: URL) throws -> [String: String] {
    let bytes = try MappedFile(url)
    guard bytes.bytes.count <= 16 << 20 else { throw bad(url, "it is too long") }
    let map: [String: String]
    do {
      map = try JSONDecoder().decode(Index.self, from: Data(bytes.bytes)).weight_map
    } catch {
      throw bad(url, "it has no 'weight_map' of names to files")
    }
    guard !map.isEmpty else { throw bad(url, "its 'weight_map' is empty") }
    for name in map.values {
      guard !name.isEmpty, !name.contains("/"), !name.contains("\\"), name != "..", name != ".",
        !name.hasSuffix(".index.json")
      else {
        throw bad(url, "it names the file '\(name.prefix(80))', which does not lie beside it")
      }
    }
    return map
  }

  private static func bad(_ url: URL, _ reason: String) -> WeightsError {
    .format(path: url.path, container: "index of a sharded checkpoint", reason: reason)
  }

  /// See `TensorFile`.
  public func tensor(_ name: String) throws -> Tensor {
    guard let part = holders[name] else { throw WeightsError.missing(path: url.path, name: name) }
    return try part.tensor(name)
  }

  /// See `TensorFile`.
  public func tensor(_ name: String, at index: Int) throws -> Tensor {
    guard let part = holders[name] else { throw WeightsError.missing(path: url.path, name: name) }
    return try part.tensor(name, at: index)
  }

  /// See `TensorFile`.
  public func forget(_ name: String) { holders[name]?.forget(name) }
}
