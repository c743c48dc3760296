/// Everything that determines a picture, as a value.
///
/// A field that is nil is left to the method and the pack: `Engine` fills every open field that the
/// method has before it paints, and the request that comes with the picture, and is kept in its
/// metadata, has none. JSON names are the fields' names; see `ParameterDeclaration`.
public struct Request: Sendable, Hashable {
  /// The version of the JSON form.
  public static let schema = 1

  /// A picture named by its content.
  public struct ImageReference: Sendable, Hashable, Codable {
    /// The file's name, without folders.
    public var name: String
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    public var sha256: String

    /// - Parameters:
    ///   - name: the file's name.
    ///   - sha256: of the file.
    public init(name: String, sha256: String) {
      self.name = name
      self.sha256 = sha256
    }
  }

  /// The type in which networks compute.
  public enum Precision: String, Sendable, Hashable, CaseIterable, Codable {
    case auto, float32, bfloat16
  }

  /// What is wanted, as typed: `text:weight:stop`, several by `|`.
  public var prompt: String
  /// How it is painted.
  public var method: Method?
  /// Width of the picture in pixels.
  public var width: Int?
  /// Height of the picture in pixels.
  public var height: Int?
  /// From which all random numbers derive.
  public var seed: Int?
  /// A picture to begin from.
  public var initImage: ImageReference?
  /// The critics, as `id` or `id:weight`, several by commas; nil is the pack's own.
  public var clip: String?
  /// The installed network that draws; nil is the pack's own.
  public var model: String?
  /// Steps of the optimisation.
  public var iterations: Int?
  /// Views of the picture that CLIP is shown at each step.
  public var cutouts: Int?
  /// Length of a step.
  public var learningRate: Double?
  /// How the step is found from the gradient.
  public var optimizer: OptimizerName?
  /// What is done to the views.
  public var augmentations: [Augmentation]?
  /// Pictures sampled, of which CLIP picks the best.
  public var candidates: Int?
  /// Which of the candidates is meant; 1 is the best.
  public var rank: Int?
  /// How much stronger than unconditionally the text is followed.
  public var conditionScale: Double?
  /// Spread of the choice among tokens.
  public var temperature: Double?
  /// Number of likeliest tokens to choose among.
  public var topK: Int?
  /// The type in which networks compute.
  public var precision: Precision?

  /// A request for `prompt` with all else left open.
  public init(_ prompt: String) { self.prompt = prompt }

  /// Every parameter but the prompt, in the order of help and JSON.
  public static let parameters: [ParameterDeclaration] = [
    .choice("method", \.method, .picture, standard: .auto, "How to paint"),
    .integer("width", \.width, 16...4096, .picture, standard: 256, "Width in pixels"),
    .integer("height", \.height, 16...4096, .picture, standard: 256, "Height in pixels"),
    .integer(
      "seed", \.seed, 0...(1 << 53 - 1), .picture,
      "Where the random numbers start; the same seed gives the same picture"),
    .image("initImage", \.initImage, .picture, methods: Method.guided, "A picture to begin from"),
    .text(
      "clip", \.clip, limit: 400, .picture,
      "Installed CLIPs that judge the picture, as ID or ID:WEIGHT, several by commas; 'pack' is the "
        + "pack's own"),
    .text(
      "model", \.model, limit: 100, .picture, methods: [.vqganCLIP],
      "The installed VQGAN or dVAE that draws"),
    .integer(
      "iterations", \.iterations, 1...100_000, .optimisation, methods: Method.guided, standard: 150,
      "Steps of the optimisation"),
    .integer(
      "cutouts", \.cutouts, 1...512, .optimisation, methods: Method.guided, standard: 16,
      "Views of the picture shown to CLIP at each step"),
    .number(
      "learningRate", \.learningRate, 0.0001...10, .optimisation, methods: Method.guided,
      standard: 0.1, "Length of a step"),
    .choice(
      "optimizer", \.optimizer, .optimisation, methods: Method.guided, standard: .adam,
      "How the step is found from the gradient"),
    .choices(
      "augmentations", \.augmentations, .optimisation, methods: Method.guided,
      standard: CutoutMode.balanced.augmentations, "What is done to the views"),
    .integer(
      "candidates", \.candidates, 1...64, .sampling, methods: [.dalle], standard: 8,
      "Pictures sampled, of which CLIP picks the best"),
    .integer(
      "rank", \.rank, 1...64, .sampling, methods: [.dalle], standard: 1,
      "Which of the candidates to keep, 1 being the best"),
    .number(
      "conditionScale", \.conditionScale, 0...20, .sampling, methods: [.dalle], standard: 2,
      "How strongly the text is followed"),
    .number(
      "temperature", \.temperature, 0.01...10, .sampling, methods: [.dalle], standard: 0.7,
      "How freely tokens are chosen"),
    .integer(
      "topK", \.topK, 1...65_536, .sampling, methods: [.dalle], standard: 50,
      "Number of likeliest tokens to choose among"),
    .choice(
      "precision", \.precision, .execution, standard: .auto, "The type in which networks compute"),
  ]

  /// The declaration of the parameter `name`.
  public static func parameter(_ name: String) -> ParameterDeclaration? {
    parameters.first { $0.name == name }
  }
}

extension ParameterDeclaration {
  static func image(
    _ name: String, _ path: Path<Request.ImageReference>, _ group: Group, methods: [Method] = [],
    _ help: String
  ) -> Self {
    Self(
      name: name, kind: .image, group: group, methods: methods, standard: nil, help: help,
      get: { request in
        request[keyPath: path].map {
          .object(["name": .string($0.name), "sha256": .string($0.sha256)])
        }
      },
      set: { request, value throws(RequestError) in
        switch value {
        case nil, .null: request[keyPath: path] = nil
        case .object(let fields):
          guard case .string(let file) = fields["name"], case .string(let hash) = fields["sha256"],
            fields.count == 2, hash.count == 64,
            hash.allSatisfy({ $0.isHexDigit && !$0.isUppercase }), !file.isEmpty,
            !file.contains("/"), !file.utf8.contains(0)
          else { fallthrough }
          request[keyPath: path] = Request.ImageReference(name: file, sha256: hash)
        default:
          throw .badValue(
            field: name, reason: "must have a file 'name' without folders and its 'sha256'")
        }
      })
  }
}

// MARK: - Checking

extension Request {
  /// Checks every field against its declaration, and the prompt.
  /// - Throws: `RequestError` naming the first field that does not hold.
  public func validate() throws(RequestError) {
    var copy = self
    for parameter in Self.parameters {
      guard let value = parameter.get(self) else { continue }
      try parameter.set(&copy, value)
      if let method, !parameter.belongs(to: method) {
        throw .notOfMethod(field: parameter.name, method: method, methods: parameter.methods)
      }
    }
    if let rank, let candidates, rank > candidates {
      throw .badValue(field: "rank", reason: "is \(rank), of only \(candidates) candidates")
    }
    if let clip { _ = try Perceptor.Choice.parse(clip) }
    _ = try Prompt.parse(prompt)
  }

  /// Why `method` cannot paint this; nil when it can, as far as the request tells.
  public func objection(to method: Method) -> RequestError? {
    for parameter in Self.parameters where parameter.get(self) != nil {
      guard parameter.belongs(to: method) else {
        return .notOfMethod(field: parameter.name, method: method, methods: parameter.methods)
      }
    }
    guard method == .dalle else { return nil }
    if let prompts = try? Prompt.parse(prompt), prompts.count > 1 || prompts[0].weight <= 0 {
      return .impossible(
        method: .dalle, reason: "it takes one text, without negative weight; vqgan-clip takes more")
    }
    if (width ?? 256) != (height ?? 256) {
      return .impossible(
        method: .dalle, reason: "its pictures are square; choose one --size or vqgan-clip")
    }
    return nil
  }
}
