import Imaging

/// Everything that determines a picture, as a value.
///
/// A field that is nil is left to the method and the pack: `Engine` fills every open field that the
/// method has before it paints, and the request that comes with the picture, and is kept in its
/// metadata, has none. JSON names are the fields' names; see `ParameterDeclaration`.
public struct Request: Sendable, Hashable {
  /// The version of the JSON form.
  public static let schema = 1
  /// The weight of `negativePrompt`.
  static let negativeWeight = -0.5

  /// The type in which networks compute.
  public enum Precision: String, Sendable, Hashable, CaseIterable, Codable {
    case auto, float32, bfloat16
    /// float32, with large matrices held in eight bits.
    case int8
  }

  /// How a picture becomes one of other proportions.
  public enum Fit: String, Sendable, Hashable, CaseIterable, Codable {
    /// Cut around its middle.
    case crop
    /// Laid whole on white.
    case pad
    /// Squeezed.
    case stretch
  }

  /// What is wanted, as typed: `text:weight:stop`, several by `|`, scenes by `^`.
  public var prompt: String
  /// How it is painted.
  public var method: Method.ID?
  /// Width of the picture in pixels.
  public var width: Int?
  /// Height of the picture in pixels.
  public var height: Int?
  /// From which all random numbers derive.
  public var seed: Int?
  /// Another seed, whose first noise is mixed into that of `seed`: for a picture a little different.
  public var variationSeed: Int?
  /// How much of it: 0 is none, 1 all.
  public var variationStrength: Double?
  /// A picture to begin from.
  public var initImage: FileReference?
  /// How that becomes one of the proportions asked for.
  public var initFit: Fit?
  /// What to begin from where there is no picture.
  public var initNoise: StartPicture?
  /// The perceptors, as `id` or `id:weight`, several by commas; nil is the pack's own.
  public var clip: String?
  /// Whether what several perceptors say is added up or averaged.
  public var clipVoices: Voices?
  /// The installed network that draws; nil is the pack's own.
  public var model: String?
  /// Prompts in their structured form, beside `prompt`.
  public var prompts: [Prompt]?
  /// What the picture should not show: a text as it is, without weights, parts or scenes, which pushes
  /// away in every scene by ``negativeWeight``.
  public var negativePrompt: String?
  /// How texts are read that are longer than what a CLIP reads at once.
  public var longTexts: LongTexts?
  /// How much noise there is in 25 copies of each text's embedding, which stand for it; nil is itself.
  public var fuzziness: Double?
  /// Words of a long prompt's first scene, words that come in with each scene after it, and the most that a
  /// scene holds; nil for one scene.
  public var storyWords: [Double]?
  /// A picture whose embedding is averaged with each text's.
  public var blend: FileReference?
  /// Black where prompts of the inside look, white where those of the outside do.
  public var mask: FileReference?
  /// Into which views pictures that are wanted are cut.
  public var pictureViews: PictureViews?
  /// Iterations of a scene before the next one begins; nil shares them out evenly.
  public var sceneIterations: Int?
  /// Whether the weights of the prompts count as they are, or as shares of their sum.
  public var promptWeights: PromptWeights?
  /// Steps of the optimisation.
  public var iterations: Int?
  /// Views of the picture that CLIP is shown at each step.
  public var cutouts: Int?
  /// How views are cut.
  public var cutMode: CutoutMode?
  /// Above one for smaller squares, below for larger.
  public var cutPower: Schedule?
  /// Share of the views that show the whole picture, where the way of cutting has both.
  public var cutWhole: Schedule?
  /// Least and largest square of `deep-daze` as shares of the shorter side, and what the least rises to.
  public var cutSizes: [Double]?
  /// Mean and deviation of the sizes of `deep-daze`, which are even without.
  public var cutSpread: [Double]?
  /// How closely the squares of `big-sleep` and `deep-daze` gather round the middle.
  public var cutCenter: Double?
  /// Views of the whole picture that `dango` shows, over the thousandths of the way from noise to picture.
  public var cutOverview: Schedule?
  /// Squares that it shows, likewise.
  public var cutInner: Schedule?
  /// Exponent of their sizes, likewise.
  public var cutInnerPower: Schedule?
  /// Share of them without colour, likewise.
  public var cutInnerGray: Schedule?
  /// What is done to the views, in order.
  public var augmentations: [Augmentation]?
  /// How much the mean of all views counts beside each view.
  public var averagingWeight: Double?
  /// Length of a step.
  public var learningRate: Schedule?
  /// Percentages of the iterations at which the step becomes a tenth.
  public var learningRateDrops: [Double]?
  /// How the step is found from the gradient.
  public var optimizer: OptimizerName?
  /// How fast `adamw` pulls the parameters to zero.
  public var weightDecay: Double?
  /// Sets of views whose gradients are averaged for one step.
  public var accumulate: Int?
  /// How slowly the average of the parameters follows, which is then the picture; 0 is without.
  public var ema: Double?
  /// Iterations without a better picture after which the step is dropped or the end has come.
  public var patience: Int?
  /// Iterations, the first of all, on a coarse picture of plain pixels, from which the drawer then begins; nil for
  /// none.
  public var sketch: Int?
  /// How strongly the picture is pulled to what the pack's diffusion model would paint; nil for not at all.
  public var distillation: Double?
  /// What is wanted beside the prompts.
  public var objectives: [PartSpec]?
  /// What is done to the picture before anybody sees it.
  public var filters: [PartSpec]?
  /// A picture that is laid over the one that is painted, again and again.
  public var overlay: FileReference?
  /// After how many iterations again.
  public var overlayEvery: Int?
  /// How much of it is seen.
  public var overlayAlpha: Double?
  /// The iteration from which it stays away.
  public var overlayUntil: Int?
  /// Pictures sampled, of which CLIP picks the best.
  public var candidates: Int?
  /// Which of the candidates is meant; 1 is the best.
  public var rank: Int?
  /// The type in which networks compute.
  public var precision: Precision?
  /// Arguments of the method by name, as it declares them.
  public var arguments: [String: JSONValue] = [:]

  /// How the weights of the prompts count.
  public enum PromptWeights: String, Sendable, Hashable, CaseIterable, Codable {
    /// As they are: twice the weight pulls twice as much.
    case given
    /// Divided by the amount of their sum (CLIP-guided diffusion, Disco Diffusion).
    case normalized
  }

  /// What becomes of what several perceptors say.
  public enum Voices: String, Sendable, Hashable, CaseIterable, Codable {
    /// It is added up: two pull twice as much as one.
    case sum
    /// It is averaged by their weights.
    case average
  }

  /// A request for `prompt` with all else left open.
  public init(_ prompt: String) { self.prompt = prompt }
}

// MARK: - By name

extension Request {
  /// The value of a parameter or of an argument of the method.
  public subscript(name: String) -> JSONValue? {
    if let parameter = Self.parameter(name) { return parameter.get(self) }
    return arguments[name]
  }

  /// Sets a parameter after checking it; any other name is an argument of the method, which is checked
  /// once that is known.
  /// - Throws: `RequestError`.
  public mutating func set(_ name: String, _ value: JSONValue?) throws(RequestError) {
    if let parameter = Self.parameter(name) {
      try parameter.set(&self, value)
    } else {
      arguments[name] = value == .null ? nil : value
    }
  }
}

// MARK: - Checking

extension Request {
  /// Checks every field against its declaration, and the prompt.
  /// - Throws: `RequestError` naming the first field that does not hold.
  public func validate(in registry: Registry) throws(RequestError) { _ = try checked(in: registry) }

  /// The request with every value in its exact type.
  /// - Throws: `RequestError` naming the first field that does not hold.
  func checked(in registry: Registry) throws(RequestError) -> Request {
    var copy = self
    let painter = registry.method(method)
    var foreign: RequestError?
    if let method, method != .auto, painter == nil { throw registry.unknown(method) }
    for parameter in Self.parameters {
      guard let value = parameter.get(self) else { continue }
      try parameter.set(&copy, parameter.kind.check(value, of: parameter.name, in: registry))
      if let painter, !painter.takes(parameter) {
        foreign =
          foreign
          ?? .notOfMethod(
            field: parameter.name, method: painter.id,
            methods: registry.methods(taking: parameter.name))
      }
    }
    for (name, value) in arguments.sorted(by: { $0.key < $1.key }) {
      copy.arguments[name] = try Self.checked(name, value, of: painter, in: registry)
    }
    if let rank, let candidates, rank > candidates {
      throw .badValue(field: "rank", reason: "is \(rank), of only \(candidates) candidates")
    }
    if weightDecay != nil, let optimizer, optimizer != .adamw {
      throw .badValue(
        field: "weightDecay", reason: "has no effect with \(optimizer.rawValue); choose adamw")
    }
    if variationStrength != nil, variationSeed == nil {
      throw .badValue(field: "variationStrength", reason: "needs variationSeed, the second seed")
    }
    if cutWhole != nil, let cutMode, cutMode != .balanced {
      throw .badValue(
        field: "cutWhole", reason: "has no effect with \(cutMode.rawValue); choose balanced")
    }
    if precision == .int8, let painter, !painter.takes.contains(.eightBits) {
      throw .badValue(
        field: "precision",
        reason: "is int8, which \(painter.id) does not know; choose float32 or bfloat16")
    }
    if let clip { _ = try Perceptor.Choice.parse(clip) }
    _ = try squares()
    _ = try dango()
    _ = try scenes()
    // What the method cannot do at all is the truer reason.
    try painter?.check(copy)
    if let foreign { throw foreign }
    return copy
  }

  private static func checked(
    _ name: String, _ value: JSONValue, of method: Method?, in registry: Registry
  ) throws(RequestError) -> JSONValue {
    guard let known = registry.argument(name) else {
      let names = ["prompt"] + parameters.map(\.name) + registry.arguments.map(\.name)
      throw .unknownField(name, nearest: nearestName(to: name, among: names))
    }
    guard let method else { return try known.kind.check(value, of: name, in: registry) }
    guard let argument = method.argument(name) else {
      throw .notOfMethod(
        field: name, method: method.id, methods: registry.methods(taking: name))
    }
    return try argument.kind.check(value, of: name, in: registry)
  }

  /// What is wanted, scene by scene: what was typed, and the structured prompts of each.
  /// - Throws: `RequestError` when there is nothing.
  public func scenes() throws(RequestError) -> [[Prompt]] {
    let extra = prompts ?? []
    let count = (extra.compactMap(\.scene).max() ?? 0) + 1
    var typed: [[Prompt]]
    do {
      typed = try Prompt.scenes(prompt)
    } catch {
      guard error == .emptyPrompt, !extra.isEmpty else { throw error }
      typed = Array(repeating: [], count: count)
    }
    guard count <= typed.count else {
      throw .badValue(
        field: "prompts.scene", reason: "is \(count - 1), of only \(typed.count) scenes")
    }
    typed = try told(typed)
    for index in typed.indices {
      if let blend {
        typed[index] = typed[index].map { prompt in
          var prompt = prompt
          prompt.target = .average([prompt.target, .image(blend)])
          return prompt
        }
      }
      typed[index] += extra.filter { $0.scene == nil || $0.scene == index }
      if let negativePrompt {
        typed[index].append(Prompt(negativePrompt, weight: Self.negativeWeight))
      }
      guard typed[index].contains(where: { $0.weight != 0 }) else {
        throw .badPrompt("scene \(index + 1) has no prompt with a weight")
      }
      if promptWeights == .normalized { typed[index] = try normalized(typed[index], scene: index) }
    }
    return typed
  }

  /// A scene's prompts with weights that sum to 1, or to -1.
  private func normalized(_ prompts: [Prompt], scene: Int) throws(RequestError) -> [Prompt] {
    let sum = abs(prompts.reduce(0) { $0 + $1.weight })
    // As CLIP-guided diffusion has it.
    guard sum >= 1e-3 else {
      throw .badPrompt(
        "the weights of scene \(scene + 1) sum to 0, so that they have no shares; change one, or leave "
          + "them as they are with promptWeights given")
    }
    return prompts.map { prompt in
      var prompt = prompt
      prompt.weight /= sum
      return prompt
    }
  }

  /// The scenes of a text that is told in windows which slide over its words (Deep Daze's stories).
  private func told(_ scenes: [[Prompt]]) throws(RequestError) -> [[Prompt]] {
    guard let numbers = storyWords?.compactMap({ Int(exactly: $0.rounded()) }),
      let first = numbers.first
    else {
      return scenes
    }
    guard scenes.count == 1, scenes[0].count == 1, let prompt = scenes[0].first,
      let words = prompt.text?.split(whereSeparator: \.isWhitespace)
    else {
      throw .badValue(
        field: "storyWords", reason: "tells one text, without scenes or prompts beside it")
    }
    let step = max(1, numbers.count > 1 ? numbers[1] : first)
    let most = numbers.count > 2 ? max(numbers[2], step) : Int.max
    let ends =
      Array(stride(from: min(first, words.count), to: words.count, by: step)) + [words.count]
    guard ends.count <= 1_000 else { throw .badPrompt("it has more than 1000 scenes") }
    return ends.map { end in
      var scene = prompt
      scene.target = .text(
        words[max(0, end - min(most, end))..<end].joined(separator: " "))
      return [scene]
    }
  }

  /// Iterations of a scene, of so many.
  func sceneLength(of scenes: Int) -> Int {
    sceneIterations ?? max(1, ((iterations ?? 1) + scenes - 1) / scenes)
  }

  /// The first text, for names and captions.
  public var title: String {
    let texts = (prompts ?? []).compactMap(\.text)
    return prompt.trimmed.isEmpty ? texts.first ?? "picture" : prompt
  }

  /// All files that it names.
  public var references: [FileReference] {
    var found = [initImage, blend, mask, overlay].compactMap(\.self)
    found += (prompts ?? []).flatMap(\.references)
    let parts = (objectives ?? []) + (filters ?? [])
    let values = parts.flatMap(\.arguments.values) + arguments.values
    found += values.compactMap(FileReference.init(json:))
    return found
  }

  /// Why `method` cannot paint this; nil when it can, as far as the request tells.
  public func objection(to method: Method, in registry: Registry) -> RequestError? {
    var asked = self
    asked.method = method.id
    do {
      try asked.validate(in: registry)
      return nil
    } catch {
      return error
    }
  }
}
