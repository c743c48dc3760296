import Diffusion
import Foundation
import Imaging
import Library
import Models
import Torch

extension Method {
  /// A diffusion network, conditioned on CLIP's embeddings and steered by its gradient.
  static let clipGuidedDiffusion = Method(
    "diffusion", title: "diffusion",
    "A diffusion model goes from noise to a picture, told what is wanted by CLIP's embedding and, with "
      + "--guidance, steered by its gradient (CLIP-guided diffusion, v-diffusion; Crowson, 2021), with an "
      + "installed network of OpenAI's guided-diffusion, too (Dhariwal & Nichol, 2021)",
    aliases: ["guided-diffusion"],
    arguments: [
      .schedule(
        "guidance", 0...1_000_000, default: 0,
        "How strongly CLIP's gradient and the objectives steer; at 0 the model is only told"),
      .number(
        "conditionScale", 0...20, default: 2, "How strongly the text is followed"),
      .choice(
        "sampler", SamplerKind.all.map(\.name), default: "ddim",
        "How steps are taken: ddim, or one of the multistep samplers, which need fewer of them "
          + "(iplms, plms, plms2, guided-plms)"),
      .number(
        "eta", 0...1, default: 0,
        "Part of the noise that ddim draws anew in each step; at 1 it is DDPM"),
      .choice(
        "schedule", ContinuousSchedule.allCases.map(\.rawValue), default: "spliced",
        "How the steps are spread over the way from noise to picture; networks of guided-diffusion go by "
          + "respacing instead"),
      .text(
        "respacing",
        "Which of its thousand timesteps a network of guided-diffusion stops at, as in ddim50, 250 or "
          + "10,10,3,2,2, instead of iterations that lie evenly apart"),
      .choice(
        "look", Steering.Look.allCases.map(\.rawValue), default: "found",
        "What steers looks at: the picture that the network finds, or, as in Disco Diffusion, that blended "
          + "with what noise there still is"),
      .number(
        "clampGradient", 0...1000,
        "Root mean square above which what steers is made weaker (Disco Diffusion's clamp_max); without "
          + "limit if left out"),
      .choice(
        "symmetry", SampleSymmetry.Kind.allCases.map(\.rawValue), default: "none",
        "Halves that are made alike once on the way"),
      .numbers(
        "symmetryAt", 0...1, most: 16, default: [0.09],
        "After which shares of the steps they are"),
      .number(
        "start", 0.01...1, default: 0.9,
        "How much of a picture to begin from is noise at first: at 1 nothing of it is left"),
      .integer(
        "skipSteps", 0...100_000, default: 0,
        "Steps at the beginning that are left out: the picture to begin from, or grey, is noised to where "
          + "they end (Disco Diffusion); 0 leaves that to start"),
      .flag(
        "inversion", default: false,
        "Look for the noise that gives the picture to begin from and begin with it, so that another prompt "
          + "changes the picture (v-diffusion's cfg_modify_image)"),
      .flag(
        "clipDenoised", default: false,
        "Keep what the network finds to its range of colours in each step"),
      .model(
        "secondary",
        "An installed secondary model of Disco Diffusion, through which the gradient goes instead of the "
          + "network: faster, and less exact"),
      .integer(
        "class", 0...999_999,
        "What a network that knows classes draws; another one in each step if left out"),
      .model(
        "classifier",
        "An installed classifier of guided-diffusion that steers towards the class"),
      .number("classifierScale", 0...1000, default: 1, "How strongly the classifier steers"),
    ],
    defaults: ["iterations": .integer(50), "cutouts": .integer(8)],
    components: [
      .init(
        "generator", VDiffusion.architecture.id, title: "diffusion model",
        alternatives: [GuidedDiffusion.architecture.id])
    ],
    takes: [.guidance, .model], films: [.progress, .restyle, .zoom, .morph],
    ofNetwork: ofNetwork,
    preference: .init(1, "it takes several prompts, a picture to begin from and all proportions"),
    size: { canvas in
      if let factor = canvas.installed?.pixelsPerPosition { return canvas.multiples(of: factor) }
      guard let own = canvas.pack.config(of: VDiffusion.self),
        let factor = canvas.pack.config(of: VQGAN.self)?.factor
      else { return canvas.asked }
      // What the pack's small network draws, in the proportions asked for; the rest is enlargement.
      // The shorter side is as long as its own.
      let (width, height) = (Double(canvas.asked.width), Double(canvas.asked.height))
      let step = factor * own.factor
      let scale = Double(own.size * factor) / min(width, height)
      func side(_ pixels: Double) -> Int {
        min(16, max(1, Int((pixels * scale / Double(step)).rounded()))) * step
      }
      return .init(width: side(width), height: side(height))
    },
    check: { request throws(RequestError) in
      try checkWay(request)
      guard isUnguided(request) else { return }
      if request.objectives?.isEmpty == false {
        throw .badValue(
          field: "guidance", reason: "is 0, where objectives do nothing; try --guidance 500")
      }
      if let scenes = try? request.scenes(),
        scenes.joined().contains(where: { $0.region != .everywhere })
      {
        throw .badValue(
          field: "guidance",
          reason: "is 0, where prompts of a region do nothing; try --guidance 500")
      }
    },
    remarks: { request in
      guard isUnguided(request) else { return [] }
      let idle = [
        "cutMode", "cutPower", "cutWhole", "cutSizes", "cutSpread", "cutCenter", "augmentations",
        "averagingWeight", "accumulate", "pictureViews", "cutOverview", "cutInner", "cutInnerPower",
        "cutInnerGray", "look", "clampGradient",
      ].filter { request[$0] != nil }
      let stops = (try? request.scenes().joined().contains { $0.stop.isFinite }) == true
      return idle.map {
        Remark($0, "\($0) has no effect in diffusion at guidance 0, where nobody looks at views.")
      }
        + (stops
          ? [Remark("prompt", "Stop values have no effect in diffusion at guidance 0.")] : [])
    },
    packProblem: { pack in
      guard let own = pack.config(of: VDiffusion.self) else { return nil }
      guard let vqgan = pack.config(of: VQGAN.self), own.channels == vqgan.embed_dim else {
        return "its diffusion model draws latents that are not its VQGAN's"
      }
      guard (16...4096).contains(own.size * vqgan.factor) else {
        return "its diffusion model draws pictures of \(own.size * vqgan.factor) pixels a side, "
          + "and they must have 16 to 4096"
      }
      if let condition = own.condition, condition.embedding != pack.config(of: CLIP.self)?.embedDim
      {
        return "its diffusion model is told embeddings that are not its CLIP's"
      }
      return nil
    }
  ) { context in
    let arguments = try context.arguments()
    let (networks, request) = (context.networks, context.request)
    if arguments.flag("inversion"), context.initial == nil {
      throw RequestError.badValue(
        field: "inversion", reason: "needs a picture to begin from: --init-image PICTURE")
    }
    let model = try model(context, arguments)
    if arguments.flag("inversion"), model.network.showsBeginning {
      throw RequestError.badValue(
        field: "inversion", reason: "says nothing to a network that enlarges; leave it out")
    }
    let continuous = model.network as? ContinuousNetwork
    let drawing =
      model.decoder != nil || continuous == nil
      ? nil : try networks.provider.library.drawing(VDiffusion.architecture, of: request.model)
    let knowsNothing = drawing.map(knowsNothing) ?? true
    if arguments.flag("inversion"), !knowsNothing {
      throw RequestError.badValue(
        field: "inversion",
        reason:
          "needs a network that was also told nothing in its training, as v-diffusion-cc12m-1-cfg")
    }
    var options = CLIPGuidedDiffusionPipeline.Options(
      sampler: sampler(arguments.choice("sampler"), eta: arguments.number("eta")),
      steps: request.iterations ?? 50, guidance: arguments.schedule("guidance"),
      start: arguments.number("start"), skip: arguments.integer("skipSteps"),
      inverts: arguments.flag("inversion"), clips: arguments.flag("clipDenoised"))
    options.steering = .init(
      look: arguments.choice("look"), clamp: arguments.numberIfGiven("clampGradient"))
    options.symmetry = .init(
      kind: arguments.choice("symmetry"), shares: arguments.numbers("symmetryAt"))
    options.secondary = try secondary(context, arguments)
    options.classifier = try classifier(context, arguments)
    return try CLIPGuidedDiffusionPipeline(
      context, model, options,
      scenes: continuous.map { continuous in
        try conditioning(
          continuous.network.config, model, context, scale: arguments.number("conditionScale"),
          knowsNothing: knowsNothing)
      } ?? [])
  }

  private static func sampler(_ name: String, eta: Double) -> any Sampler {
    guard let kind = SamplerKind.named(name) else {
      preconditionFailure("'\(name)' is declared and is no sampler")
    }
    return kind.make(eta)
  }

  /// What of the way from noise to picture cannot be gone so.
  private static func checkWay(_ request: Request) throws(RequestError) {
    if case .string(let text) = request.arguments["respacing"] {
      do {
        _ = try Respacing(text).timesteps(of: 1000)
      } catch {
        throw .badValue(field: "respacing", reason: "is of no use. \(error)")
      }
    }
    guard request.arguments["inversion"] == .bool(true) else { return }
    let (sampler, eta) = (request.arguments["sampler"], request.arguments["eta"])
    // Only these two draw noise; what is left out is ddim.
    let drawsByEta = sampler == nil || sampler == .string("ddim")
    if sampler == .string("ddpm")
      || drawsByEta && eta != nil && eta != .number(0) && eta != .integer(0)
    {
      throw .badValue(
        field: "inversion", reason: "goes with samplers that draw no noise: set --eta 0, not ddpm")
    }
  }

  /// Whether nothing steers.
  private static func isUnguided(_ request: Request) -> Bool {
    guard let guidance = request.arguments["guidance"].flatMap(Schedule.init(json:)) else {
      return false
    }
    return guidance.values.allSatisfy { $0 == 0 }
  }
}
