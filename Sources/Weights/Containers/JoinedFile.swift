import Foundation
import Torch

/// Files that hold one network's parts, each part's tensors under its name: min-dalle's `encoder.pt` and
/// `decoder.pt` as `encoder.…` and `decoder.…`.
public final class JoinedFile: TensorFile {
  /// Where the first part lies.
  public let url: URL
  /// The first part's.
  public let container: Container
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
  /// See `TensorFile`.
  public let parts: [URL]

  private let holders: [String: any TensorFile]

  /// Opens every part.
  /// - Parameter files: each part's name and where it lies; not empty.
  /// - Throws: `WeightsError` when a part cannot be read.
  public init(_ files: [(part: String, url: URL)]) throws {
    let opened = try files.map { ($0.part, try openTensors(at: $0.url)) }
    guard let first = opened.first?.1 else { preconditionFailure("no part was given") }
    url = first.url
    container = first.container
    names = opened.flatMap { part, file in file.names.map { "\(part).\($0)" } }
    entries = opened.reduce(into: [:]) { entries, part in
      for (name, entry) in part.1.entries { entries["\(part.0).\(name)"] = entry }
    }
    metadata = first.metadata
    foreign = Set(opened.flatMap(\.1.foreign)).sorted()
    unread = opened.reduce(into: [:]) { unread, part in
      for (name, type) in part.1.unread { unread["\(part.0).\(name)"] = type }
    }
    parts = opened.map(\.1.url)
    holders = Dictionary(uniqueKeysWithValues: opened)
  }

  /// See `TensorFile`.
  public func tensor(_ name: String) throws -> Tensor {
    guard let (file, inner) = part(name) else {
      throw WeightsError.missing(path: url.path, name: name)
    }
    return try file.tensor(inner)
  }

  /// See `TensorFile`.
  public func tensor(_ name: String, at index: Int) throws -> Tensor {
    guard let (file, inner) = part(name) else {
      throw WeightsError.missing(path: url.path, name: name)
    }
    return try file.tensor(inner, at: index)
  }

  /// See `TensorFile`.
  public func forget(_ name: String) {
    if let (file, inner) = part(name) { file.forget(inner) }
  }

  private func part(_ name: String) -> (file: any TensorFile, name: String)? {
    guard let point = name.firstIndex(of: "."), let file = holders[String(name[..<point])] else {
      return nil
    }
    return (file, String(name[name.index(after: point)...]))
  }
}
