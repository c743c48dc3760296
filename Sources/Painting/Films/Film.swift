/// What moves, as a value.
public struct Film: Codable, Sendable, Hashable {
  /// The ways in which a film comes about.
  public enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
    /// A picture as it is painted; with scenes in the prompt, a story.
    case progress
    /// The camera moves: after some iterations the picture is enlarged, turned and shifted, and
    /// painting goes on from there.
    case zoom
    /// Every frame of a video, or every picture of a folder, painted over.
    case restyle
    /// From one finished picture to the next, through what lies between their parameters.
    case morph
    /// Pictures that are painted in turns and look at their neighbours: a loop.
    case ring

    /// In one sentence, without the final stop.
    public var help: String {
      switch self {
      case .progress: "A picture as it is painted; scenes (^) in the prompt make it a story"
      case .zoom: "The camera moves on while painting goes on"
      case .restyle: "Every frame of a video or of a folder of pictures, painted over"
      case .morph: "From scene to scene, or from seed to seed, through what lies between them"
      case .ring: "Pictures that are painted in turns, each with a breath of the one before: a loop"
      }
    }
  }

  /// How it comes about.
  public var kind: Kind
  /// Iterations from one frame to the next; of `restyle`, those that each frame gets; of `ring`, those of
  /// a turn.
  public var every = 5
  /// Frames: of `zoom` in all, of `morph` from one picture to the next, of `ring` in the loop.
  public var frames: Int?
  /// Frames in a second.
  public var rate = 15.0
  /// Frames in a second after those between them have been made up; nil leaves it as it is.
  public var smooth: Double?
  /// Seconds for which the last frame stands.
  public var hold = 1.0
  /// Iterations of `zoom` before the camera begins to move; nil is none.
  public var start: Int?
  /// How much larger the picture becomes from frame to frame.
  public var zoom: Schedule = 1.02
  /// Pixels by which it moves to the left from frame to frame; what leaves comes in on the right.
  public var shiftX: Schedule = 0
  /// Pixels by which it moves up.
  public var shiftY: Schedule = 0
  /// Degrees by which it is turned, clockwise.
  public var turn: Schedule = 0
  /// The video, or the pictures, that are painted over.
  public var source: [FileReference] = []
  /// How much of the frame before is laid over the next one: of `restyle` over what is painted over, of
  /// `ring` over the neighbour.
  public var carry = 0.0
  /// Whether what is carried in `restyle` moves as the video moved since; nil lays it where it was.
  public var flow: Bool?
  /// The pictures of `morph`, if not the scenes of the prompt.
  public var seeds: [Int] = []
  /// What `zoom` shows beyond the edges; nil mirrors it.
  public var edges: Edges?
  /// Share of the steps that frames of `zoom` by diffusion leave out after the first, which is how much of
  /// the frame before stays; nil is 0.6 (`frames_skip_steps`).
  public var skip: Double?
  /// How strongly they are held to the frame before (`frames_scale`); nil is not at all.
  public var nearness: Double?
  /// Of how many frames of `zoom` by diffusion one is painted, the others being made of it; nil paints all.
  public var turbo: Int?
  /// Frames that are painted before that begins; nil is 10.
  public var preroll: Int?

  /// What a moving camera sees beyond the edges of a picture.
  public enum Edges: String, Codable, Sendable, Hashable, CaseIterable {
    /// The picture mirrored.
    case mirror
    /// Its other end (Disco Diffusion).
    case wrap
  }

  /// A film of a kind, all else as usual for it.
  public init(_ kind: Kind) {
    self.kind = kind
    if kind == .ring { (every, carry) = (10, 0.5) }
    if kind == .restyle { every = 25 }
  }

  /// All files that it names.
  var references: [FileReference] { source }

  /// The request as this film wants it.
  /// - Throws: `RequestError` when they do not go together.
  public func adapted(_ request: Request, _ registry: Registry = .builtIn) throws -> Request {
    try validate()
    var request = request
    guard let method = registry.method(request.method), method.films.contains(kind) else {
      let able = registry.methods.filter { $0.films.contains(kind) }.map(\.id.rawValue)
      throw RequestError.impossible(
        method: request.method ?? .auto,
        reason: "it shoots no film '\(kind.rawValue)'; choose another --method: "
          + able.joined(separator: ", "))
    }
    switch kind {
    // Where there is nothing to optimise, each frame is a painting of its own.
    case .zoom where method.isOptimised:
      request.iterations = (frames ?? 60) * every
    case .restyle: request.iterations = every
    // It goes from the first candidate of each.
    case .morph where method.makesCandidates: (request.candidates, request.rank) = (1, 1)
    case .zoom, .progress, .morph, .ring: break
    }
    // Its frames are whole pictures.
    request.filters = request.filters?.map { part in
      var part = part
      if part.name == FilterKind.inpaint.name { part.arguments["area"] = .string("whole") }
      return part
    }
    if kind == .restyle, source.isEmpty {
      throw RequestError.badValue(
        field: "source", reason: "must name a video or a folder of pictures")
    }
    if flow == true, carry == 0 {
      throw RequestError.badValue(
        field: "flow", reason: "moves what is carried along; give --carry, too, such as 0.5")
    }
    if kind == .morph, seeds.isEmpty ? try request.scenes().count < 2 : seeds.count < 2 {
      throw RequestError.badValue(
        field: "morph", reason: "needs two scenes (a ^ b) or two --seeds to go from and to")
    }
    if [.zoom, .restyle, .ring].contains(kind), (request.sketch ?? 0) > 0 {
      throw RequestError.badValue(
        field: "sketch",
        reason:
          "goes with pictures and with films that begin nothing anew; leave it out of '\(kind.rawValue)'"
      )
    }
    if kind == .zoom, !method.isOptimised {
      let last = (frames ?? 60) - 1
      if let seed = request.seed, seed > Seed.range.upperBound - last {
        throw RequestError.badValue(
          field: "seed",
          reason: "must be at most \(Seed.range.upperBound - last), for each frame has its own")
      }
      try method.check(self.request(request, frame: 1, method: method))
    }
    if kind == .ring, (frames ?? max(source.count, 6)) < 2 {
      throw RequestError.badValue(field: "frames", reason: "must be at least 2 in a ring")
    }
    return request
  }

  /// Checks every parameter against its declaration.
  private func validate() throws(RequestError) {
    guard [rate, smooth ?? 1, hold, carry, skip ?? 0, nearness ?? 0].allSatisfy(\.isFinite) else {
      throw .badValue(field: "film", reason: "has a value that is no number")
    }
    let values = values
    for parameter in Self.parameters {
      guard let value = values[parameter.name], value != .null, value != .array([]) else {
        continue
      }
      _ = try parameter.kind.check(value, of: parameter.name)
    }
  }
}
