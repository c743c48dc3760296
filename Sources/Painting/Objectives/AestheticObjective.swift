import Library
import Models
import Torch

/// A high score by a head on CLIP's embeddings, trained on how people rated pictures (pixray's
/// `aesthetic`, with LAION's heads): `0.02 mean((score - target)²)`.
struct AestheticObjective: Objective {
  /// The scores `[B]` of embeddings `[B, E]` of length one.
  let score: (Tensor) -> Tensor
  /// Which perceptor's embeddings the head reads.
  var perceptor = 0
  /// The score wanted.
  var target = 10.0

  func loss(_ observation: Observation) -> Tensor? {
    guard observation.views.indices.contains(perceptor) else { return nil }
    let scores = score(observation.views[perceptor].embeddings.to(.float32).normalized())
    return (scores - target).square().mean() * 0.02
  }
}

extension ObjectiveKind {
  /// A high score by an installed aesthetic head.
  static let aesthetic = ObjectiveKind(
    "aesthetic", "A high score by a head that learned how people rate pictures (install one)",
    arguments: [
      .model("head", "The installed head; the first that there is if left out"),
      .number("target", 0...20, default: 10, "The score wanted, where ten is the best"),
    ]
  ) { context in
    let painting = try context.ofPainting()
    let networks = painting.networks
    let head = try networks.network(AestheticHead.self, of: context.text("head"), .float32)
    let drawing = try networks.provider.library.drawing(
      AestheticHead.architecture, of: context.text("head"))
    let perceptors = try networks.perceptors(painting.request).map { ($0.id, $0.clip.config) }
    let perceptor = try AestheticObjective.perceptor(
      ofHead: drawing?.names ?? [], width: head.config.width, among: perceptors)
    return AestheticObjective(
      score: { head($0) }, perceptor: perceptor, target: context.number("target"))
  }
}

extension AestheticObjective {
  /// Which perceptor's embeddings a head knows: those of the CLIP that it was trained on, as its name says;
  /// where that says nothing, of the only one that is as wide.
  /// - Parameters:
  ///   - names: of the head and its files.
  ///   - width: of the embeddings that it reads.
  static func perceptor(
    ofHead names: [String], width: Int, among perceptors: [(String, CLIP.Config)]
  ) throws(RequestError) -> Int {
    // ViT-L/14 before ViT-L/14@336px, which heads are not of; a longer name holds a shorter one.
    let known = [
      "ViT-B/32", "ViT-B/16", "ViT-L/14", "RN50x16", "RN50x64", "RN50x4", "RN101", "RN50",
    ]
    .filter { name in
      CLIP.Config.published.contains { $0.name == name && $0.config.embedDim == width }
    }
    func isNamed(_ word: String) -> Bool {
      names.contains { plainName($0).contains(plainName(word)) }
    }
    // The improved heads call it l14.
    let trained =
      known.first(where: isNamed)
      ?? (known.contains("ViT-L/14") && isNamed("l14") ? "ViT-L/14" : nil)
    let wide = perceptors.indices.filter { perceptors[$0].1.embedDim == width }
    if let trained {
      let fits = wide.first { perceptors[$0].1.openAIName(id: perceptors[$0].0) == trained }
      if let fits { return fits }
      throw .badValue(
        field: "aesthetic",
        reason:
          "has a head that was trained on OpenAI's \(trained), which is not among the perceptors; "
          + "choose it with --clip")
    }
    guard let first = wide.first else {
      throw .badValue(
        field: "aesthetic",
        reason: "reads embeddings of \(width) numbers, and the perceptors give "
          + perceptors.map { String($0.1.embedDim) }.joined(separator: ", ")
          + "; choose the CLIP that it was trained on with --clip")
    }
    guard wide.count == 1 else {
      throw .badValue(
        field: "aesthetic",
        reason: "has a head whose name does not say on which CLIP it was trained, and "
          + wide.map { perceptors[$0].0 }.joined(separator: " and ")
          + " are all as wide; name one of them alone with --clip")
    }
    return first
  }
}
