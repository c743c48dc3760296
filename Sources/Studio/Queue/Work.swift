import Foundation
import Painting

/// What a job makes, where it is not simply pictures of its request.
enum Work: Codable, Sendable, Equatable {
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

  /// What clients may say of a film; a video to paint over is not among it.
  static let fields = [
    "kind", "every", "frames", "rate", "smooth", "hold", "start", "zoom", "shiftX", "shiftY",
    "turn", "carry", "seeds",
  ]

  /// A film of a client's fields, the others as usual.
  /// - Throws: `RequestError` that names the field.
  init(json: JSONValue) throws {
    guard case .object(let given) = json else {
      throw RequestError.badValue(field: "film", reason: "must be an object with a 'kind'")
    }
    for name in given.keys.sorted() where !Self.fields.contains(name) {
      throw RequestError.unknownField(name, nearest: nearestName(to: name, among: Self.fields))
    }
    guard case .string(let word) = given["kind"], let kind = Kind(rawValue: word) else {
      throw RequestError.badValue(
        field: "kind",
        reason: "must be one of " + Kind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard kind != .restyle else {
      throw RequestError.badValue(
        field: "kind", reason: "restyle wants a video: paint it with reverie film restyle")
    }
    guard
      case .object(var fields)? = JSONValue(
        text: String(decoding: try JSONEncoder().encode(Film(kind)), as: UTF8.self))
    else { throw RequestError.badValue(field: "film", reason: "cannot be read") }
    fields.merge(given.filter { $0.value != .null }) { $1 }
    do {
      self = try JSONDecoder().decode(Film.self, from: Data(JSONValue.object(fields).json.utf8))
    } catch DecodingError.typeMismatch(_, let context) {
      throw RequestError.badValue(
        field: context.codingPath.first?.stringValue ?? "film", reason: "is of the wrong type")
    } catch {
      throw RequestError.badValue(field: "film", reason: "cannot be read")
    }
    guard frames ?? 0 <= Self.mostFrames else {
      throw RequestError.badValue(
        field: "frames", reason: "must be at most \(Self.mostFrames), not \(frames ?? 0)")
    }
    guard seeds.count <= Self.mostSeeds else {
      throw RequestError.badValue(
        field: "seeds", reason: "must be at most \(Self.mostSeeds), not \(seeds.count)")
    }
  }

  /// Refuses a film that would fill the disk.
  /// - Parameter request: adapted.
  func checkLength(_ request: Request) throws {
    let count: Int =
      switch kind {
      case .progress: (request.iterations ?? 1) / every
      case .morph: (frames ?? 30) * max(seeds.count, try request.scenes().count)
      case .zoom, .ring, .restyle: frames ?? 0
      }
    guard count <= Self.mostFrames else {
      throw RequestError.badValue(
        field: kind == .progress ? "every" : "frames",
        reason: "makes \(count) frames, more than \(Self.mostFrames)")
    }
  }
}
