import Foundation

extension Film {
  /// A parameter of films, declared once: command line, JSON, checks, help and schema derive from it.
  public struct Parameter: Sendable {
    /// The name in JSON.
    public let name: String
    /// Which values it takes.
    public let kind: ParameterKind
    /// The films that it changes.
    public let films: Set<Kind>
    /// What it does, in one sentence, without the final stop.
    public let help: String

    /// The name on the command line.
    public var flag: String { flagName(of: name) }

    /// What stands in when it is left out, for a kind of film; nil where that is nothing.
    public func `default`(of film: Kind) -> JSONValue? {
      Film(film).values[name].flatMap { $0 == .null || $0 == .array([]) ? nil : $0 }
    }
  }

  private static let all = Set(Kind.allCases)

  /// Every parameter but the kind and the files that are painted over.
  public static let parameters: [Parameter] = [
    .init(
      name: "every", kind: .integer(1...100_000), films: all,
      help:
        "Iterations from one frame to the next; of restyle, those that each frame gets; of ring, those "
        + "of a turn"),
    .init(
      name: "frames", kind: .integer(1...100_000), films: [.zoom, .morph, .ring],
      help: "Frames: of zoom in all (60), of morph between two pictures (30), of ring (6)"),
    .init(name: "rate", kind: .number(0.1...240), films: all, help: "Frames in a second"),
    .init(
      name: "smooth", kind: .number(1...240), films: all,
      help: "Frames in a second after those in between have been made up"),
    .init(
      name: "hold", kind: .number(0...60), films: all,
      help: "Seconds for which the last frame stands"),
    .init(
      name: "start", kind: .integer(0...100_000), films: [.zoom],
      help: "Iterations of zoom before the camera begins to move"),
    .init(
      name: "zoom", kind: .schedule(0.1...10), films: [.zoom],
      help:
        "How much larger the picture becomes from frame to frame; over the frames as in 0:1,50:1.05"
    ),
    .init(
      name: "shiftX", kind: .schedule(-4096...4096), films: [.zoom],
      help: "Pixels by which it moves to the left"),
    .init(
      name: "shiftY", kind: .schedule(-4096...4096), films: [.zoom],
      help: "Pixels by which it moves up"),
    .init(
      name: "turn", kind: .schedule(-360...360), films: [.zoom],
      help: "Degrees by which it turns, clockwise"),
    .init(
      name: "carry", kind: .number(0...1), films: [.restyle, .ring],
      help: "How much of the frame before is laid over the next"),
    .init(
      name: "flow", kind: .flag, films: [.restyle],
      help:
        "Whether it moves as the video moved, by optical flow; what comes into sight is the video's"
    ),
    .init(
      name: "seeds", kind: .seeds(most: 1_000), films: [.morph], help: "Seeds between which it goes"
    ),
    .init(
      name: "edges", kind: .choice(Edges.allCases.map(\.rawValue)), films: [.zoom],
      help: "What lies beyond the edges: the picture mirrored, which is usual, or its other end"),
    .init(
      name: "skip", kind: .number(0...0.95), films: [.zoom],
      help:
        "Of diffusion: share of the steps that frames after the first leave out, by which the frame before "
        + "stays (0.6)"),
    .init(
      name: "nearness", kind: .number(0...1_000), films: [.zoom],
      help: "Of diffusion with guidance: how strongly a frame is held to the one before (0)"),
    .init(
      name: "turbo", kind: .integer(1...30), films: [.zoom],
      help: "Of diffusion: of so many frames one is painted, and the others are made of it (1)"),
    .init(
      name: "preroll", kind: .integer(0...1_000), films: [.zoom],
      help: "Frames that are painted before turbo begins (10)"),
  ]

  /// A film of a kind with these values, all else as usual.
  /// - Throws: `RequestError` naming the parameter that there is not, or whose value does not hold.
  public init(_ kind: Kind, _ given: [String: JSONValue]) throws(RequestError) {
    var values = Film(kind).values
    for (name, value) in given.sorted(by: { $0.key < $1.key }) where value != .null {
      guard let parameter = Self.parameters.first(where: { $0.name == name }) else {
        let near = nearestName(to: name, among: Self.parameters.map(\.name))
        throw .unknownField(name, nearest: near)
      }
      values[name] = try parameter.kind.check(value, of: name)
      guard parameter.films.contains(kind) else {
        let able = parameter.films.map(\.rawValue).sorted().joined(separator: ", ")
        throw .badValue(
          field: name, reason: "has no effect with \(kind.rawValue), only with \(able)")
      }
    }
    guard let data = try? JSONEncoder().encode(values),
      let film = try? JSONDecoder().decode(Film.self, from: data)
    else { throw .badValue(field: "film", reason: "cannot be read") }
    self = film
  }

  /// The values by name.
  var values: [String: JSONValue] {
    guard let data = try? JSONEncoder().encode(self),
      let values = try? JSONDecoder().decode([String: JSONValue].self, from: data)
    else { preconditionFailure("a film encodes itself as an object") }
    return values
  }
}
