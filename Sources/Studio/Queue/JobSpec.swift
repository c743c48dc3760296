import Foundation
import Painting

/// What a job makes, where it is not simply pictures of its request.
enum JobSpec: Codable, Sendable, Equatable {
  /// A film of it.
  case film(Film)
  /// A picture that is there, made larger by a network.
  case enlargement(Enlargement)

  /// What is made larger, and by how much.
  struct Enlargement: Codable, Sendable, Equatable {
    /// The picture.
    var picture: FileReference
    /// How many times larger each side becomes.
    var scale: Int
  }

  /// The files that it names beside those of the request.
  var references: [FileReference] {
    switch self {
    case .film(let film): film.source
    case .enlargement(let enlargement): [enlargement.picture]
    }
  }
}

extension Film {
  /// Most frames of a film in the studio.
  static let mostFrames = 3_600
  /// Most seeds between which it goes.
  static let mostSeeds = 64

  /// The values of a parameter that clients may give.
  static func limited(_ parameter: Parameter) -> ParameterKind {
    switch parameter.name {
    case "frames": .integer(1...mostFrames)
    case "seeds": .seeds(most: mostSeeds)
    default: parameter.kind
    }
  }

  /// A film of a client's fields, the others as usual; what is painted over was handed in before.
  /// - Throws: `RequestError` that names the field.
  init(json: JSONValue) throws {
    guard case .object(var given) = json else {
      throw RequestError.badValue(field: "film", reason: "must be an object with a 'kind'")
    }
    guard case .string(let word) = given.removeValue(forKey: "kind"),
      let kind = Kind(rawValue: word)
    else {
      throw RequestError.badValue(
        field: "kind",
        reason: "must be one of " + Kind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let files = try Self.files(given.removeValue(forKey: "source"), of: kind)
    for parameter in Self.parameters {
      guard let value = given[parameter.name], value != .null else { continue }
      _ = try Self.limited(parameter).check(value, of: parameter.name)
    }
    self = try Film(kind, given)
    source = files
  }

  /// What a film paints over.
  private static func files(_ source: JSONValue?, of kind: Kind) throws -> [FileReference] {
    guard let source, source != .null else { return [] }
    guard kind == .restyle, case .array(let values) = source, values.count <= mostFrames else {
      throw RequestError.badValue(
        field: "source",
        reason:
          "must be a list of files that were handed in, a video or pictures; only restyle has it")
    }
    return try values.compactMap { value in
      guard case .object(let fields) = try ParameterKind.file.check(value, of: "source"),
        case .string(let name) = fields["name"], case .string(let sha256) = fields["sha256"]
      else { return nil }
      return FileReference(name: name, sha256: sha256)
    }
  }

  /// Refuses a film that would fill the disk.
  /// - Parameter request: adapted.
  func checkLength(_ request: Request) throws {
    let count: Int =
      switch kind {
      case .progress: (request.iterations ?? 1) / every
      case .morph: (frames ?? 30) * max(seeds.count, try request.scenes().count)
      case .zoom, .ring: frames ?? 0
      // A video has no more frames than it was let in with.
      case .restyle: source.count
      }
    guard count <= Self.mostFrames else {
      throw RequestError.badValue(
        field: kind == .progress ? "every" : "frames",
        reason: "makes \(count) frames, more than \(Self.mostFrames)")
    }
  }
}
