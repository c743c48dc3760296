import Diffusion
import Foundation
import Library
import Models
import Torch

// Whose networks diffusion paints with, and what each is told.

extension Method {
  /// The network that a request draws with: the pack's, or an installed one of either kind.
  static func model(_ context: PipelineContext, _ arguments: PartContext) throws -> DiffusionModel {
    let (networks, request) = (context.networks, context.request)
    let library = networks.provider.library
    if let name = request.model, library.installed(GuidedDiffusion.architecture).contains(name) {
      let network = try networks.network(GuidedDiffusion.self, of: name, packs: false)
      return DiffusionModel(network: try discrete(network, context, arguments), decoder: nil)
    }
    for name in ["class", "classifier", "respacing", "secondary"]
    where request.arguments[name] != nil {
      guard name == "secondary" && request.model != nil else {
        throw RequestError.badValue(
          field: name,
          reason: "needs a network of guided-diffusion: name one with --model (reverie models list "
            + "--known shows what there is)")
      }
    }
    let network = try networks.network(
      VDiffusion.self, in: context.method.components[0], of: request.model)
    let isOwn = request.model == nil && networks.pack.config(of: VDiffusion.self) != nil
    return DiffusionModel(
      network: ContinuousNetwork(network: network, schedule: arguments.choice("schedule")),
      decoder: isOwn ? try networks.network(VQGAN.self) : nil)
  }

  private static func discrete(
    _ network: GuidedDiffusion, _ context: PipelineContext, _ arguments: PartContext
  ) throws -> DiscreteNetwork {
    let config = network.config
    let chosen = arguments.integerIfGiven("class")
    // A classifier's classes are its own.
    let isClassifiers = config.classes == nil && arguments.text("classifier") != nil
    if let chosen, !isClassifiers, chosen >= config.classes ?? 0 {
      throw RequestError.badValue(
        field: "class",
        reason: config.classes.map { "must be below \($0), the classes that this network knows" }
          ?? "says nothing to this network, which knows no classes")
    }
    var found = DiscreteNetwork(network: network, chosen: chosen, seed: context.seed)
    found.respacing = try arguments.text("respacing").map(Respacing.init)
    guard let side = config.smallSize else { return found }
    guard let initial = context.initial else {
      throw RequestError.badValue(
        field: "initImage", reason: "is missing: this network enlarges a picture; give it one")
    }
    let (height, width) = (
      initial.size(2) * side / config.size, initial.size(3) * side / config.size
    )
    found.small =
      initial.resampled(max(1, height), max(1, width), .bicubic, antialias: true).clamped(0, 1) * 2
      - 1
    return found
  }

  /// The secondary model that a request names.
  static func secondary(
    _ context: PipelineContext, _ arguments: PartContext
  ) throws -> SecondaryDiffusion? {
    guard let name = arguments.text("secondary") else { return nil }
    let found = try context.networks.network(SecondaryDiffusion.self, of: name, packs: false)
    let factor = found.config.factor
    guard context.size.width % factor == 0, context.size.height % factor == 0 else {
      throw RequestError.badValue(
        field: "secondary",
        reason: "needs a width and a height that are multiples of \(factor), not "
          + "\(context.size.width) x \(context.size.height)")
    }
    return found
  }

  /// The classifier that a request names.
  static func classifier(
    _ context: PipelineContext, _ arguments: PartContext
  ) throws -> CLIPGuidedDiffusionPipeline.Options.Classifier? {
    guard let name = arguments.text("classifier") else { return nil }
    let found = try context.networks.network(GuidedClassifier.self, of: name, packs: false)
    let (side, classes) = (found.config.size, found.config.unet.outputs)
    guard context.size.width == side, context.size.height == side else {
      throw RequestError.badValue(
        field: "classifier",
        reason: "knows pictures of \(side) x \(side) only: set --size \(side)x\(side)")
    }
    guard let wanted = arguments.integerIfGiven("class"), wanted < classes else {
      throw RequestError.badValue(
        field: "class", reason: "must say which of the classifier's \(classes) classes is wanted")
    }
    return .init(network: found, wanted: wanted, scale: arguments.number("classifierScale"))
  }

  // MARK: Networks of v-diffusion

  /// What v-diffusion's own programs sample its networks by: `cfg_sample.py` the one that was trained for
  /// guidance without a classifier, `clip_sample.py` all others.
  static func ofNetwork(_ network: DrawingNetwork) -> [String: JSONValue] {
    if let config = network.config as? GuidedDiffusion.Config { return ofDisco(config) }
    guard let config = network.config as? VDiffusion.Config else { return [:] }
    var values: [String: JSONValue] = [
      "schedule": .string((config.isPort ? ContinuousSchedule.ddpm : .spliced).rawValue)
    ]
    guard config.isPublished else { return values }
    (values["width"], values["height"]) = (.integer(config.size), .integer(config.size))
    if config.condition != nil, knowsNothing(network) {
      values.merge([
        "sampler": .string("plms"), "iterations": .integer(50), "conditionScale": .number(3),
      ]) { $1 }
    } else {
      values.merge([
        "sampler": .string("ddim"), "eta": .number(1), "iterations": .integer(1000),
        "guidance": .number(500), "conditionScale": .number(1), "cutouts": .integer(16),
        "cutMode": .string(CutoutMode.notebook.rawValue),
      ]) { $1 }
    }
    return values
  }

  /// What Disco Diffusion samples the networks of guided-diffusion by; those that enlarge are sampled as OpenAI's
  /// `super_res_sample.py` does it, by nothing but the picture.
  static func ofDisco(_ config: GuidedDiffusion.Config) -> [String: JSONValue] {
    var values: [String: JSONValue] = [
      "width": .integer(config.size), "height": .integer(config.size), "iterations": .integer(250),
    ]
    guard config.smallSize == nil else {
      return values.merging(["sampler": .string("ddpm"), "clipDenoised": .bool(true)]) { $1 }
    }
    values.merge([
      "sampler": .string("ddim"), "eta": .number(0.8), "guidance": .number(5000),
      "look": .string(Steering.Look.blended.rawValue), "clampGradient": .number(0.05),
      "cutMode": .string(CutoutMode.dango.rawValue), "cutouts": .integer(16),
      "accumulate": .integer(4), "promptWeights": .string("normalized"),
    ]) { $1 }
    return values
  }

  /// Whether a network that is told something was trained with being told nothing, too. Of the two networks
  /// on Conceptual 12M, which are alike but for this, only the name tells.
  static func knowsNothing(_ network: DrawingNetwork) -> Bool {
    network.config as? VDiffusion.Config != .cc12m || network.isNamed("cfg")
  }

  /// The CLIP whose embeddings a network is told: OpenAI's ViT-B/16 by v-diffusion's, wherever it is
  /// installed; by others one of the request's that is as wide.
  static func teller(
    _ config: VDiffusion.Config, _ model: DiffusionModel, _ context: PipelineContext
  ) throws -> Perceptor? {
    let (request, networks) = (context.request, context.networks)
    if model.decoder != nil { return try networks.perceptor("pack", request) }
    let library = networks.provider.library
    let named = try networks.perceptors(request).map { ($0.id, $0.clip.config) }
    let installed = library.installed(CLIP.architecture).compactMap { id in
      (try? library.component(CLIP.architecture, of: id).config as? CLIP.Config).map { (id, $0) }
    }
    return try teller(of: config, among: named, installed)
      .map { try networks.perceptor($0, request) }
  }

  /// Which CLIP that is, by name.
  /// - Parameters:
  ///   - named: those that the request names.
  ///   - installed: those that there are.
  static func teller(
    of config: VDiffusion.Config, among named: [(String, CLIP.Config)],
    _ installed: [(String, CLIP.Config)]
  ) -> String? {
    guard config == .cc12m else {
      return named.first { $0.1.embedDim == config.condition?.embedding }?.0
    }
    return (named + installed).first { $1.openAIName(id: $0) == "ViT-B/16" }?.0
  }

  /// What a diffusion network is conditioned on of the prompts, scene by scene; nothing where it is not.
  /// - Parameter knowsNothing: whether it was trained with being told nothing, so that one may go beyond
  ///   what it is told.
  static func conditioning(
    _ config: VDiffusion.Config, _ model: DiffusionModel, _ context: PipelineContext, scale: Double,
    knowsNothing: Bool
  ) throws -> [Conditioning] {
    guard let condition = config.condition else { return [] }
    guard let perceptor = try teller(config, model, context) else {
      throw RequestError.badValue(
        field: "clip",
        reason: config == .cc12m
          ? "must name OpenAI's ViT-B/16, which tells this network what is wanted. Get it with: "
            + "reverie models pull openai-vit-b-16"
          : "must name a CLIP with embeddings of \(condition.embedding) numbers, which "
            + "'\(config.title)' was trained with")
    }
    guard knowsNothing || scale == 1 else {
      throw RequestError.badValue(
        field: "conditionScale",
        reason:
          "must be 1 with this network, which was not trained with an empty text (one that was has "
          + "'cfg' in its name, as v-diffusion-cc12m-1-cfg)")
    }
    let cutouts = Cutouts(
      size: perceptor.size, count: context.request.cutouts ?? 1,
      mode: context.request.cutMode ?? .balanced,
      power: context.request.cutPower?.value(at: 0) ?? 1,
      augmentations: context.request.augmentations, seed: context.seed)
    return try context.request.scenes().map { prompts in
      var (rows, scales): ([Tensor], [Double]) = ([], [])
      for prompt in prompts where prompt.weight != 0 && prompt.region == .everywhere {
        guard
          let found = try perceptor.embeddings(
            of: prompt.target, cutouts: cutouts, files: context.files,
            size: (context.size.width, context.size.height), device: context.device)
        else { continue }
        rows.append(found.to(.float32).normalized().mean(over: [0], keepDims: true))
        scales.append(prompt.weight * scale)
      }
      guard !rows.isEmpty else {
        return .init(
          embeddings: Tensor.zeros([1, condition.embedding], device: context.device), scales: [0])
      }
      guard knowsNothing else {
        // One embedding of all that is wanted, as clip_sample.py has it.
        let sum = zip(rows, scales).map { $0 * $1 }
        return .init(embeddings: sum.dropFirst().reduce(sum[0], +).normalized(), scales: [1])
      }
      return .init(embeddings: concatenated(rows, over: 0), scales: scales)
    }
  }
}
