import Models
import Torch

/// Codes of the corpus's grid pictures, put together so that they repeat as much as they can.
///
/// The encoder's norms look at the whole picture, so another ground changes even the codes in the
/// middle of an object, and a transformer must learn every object anew on each. Here a position that
/// the object covers wholly takes its codes from the object on white, a position that it does not
/// touch takes those of the bare ground, and only positions on its outline have codes of their own.
/// The decoder is tuned to such mixtures (the `decoder` stage).
final class ComposedCodes {
  /// Objects and ground of a picture.
  struct Scene: Hashable {
    let concepts: [Int]
    let color: Int
  }

  /// Where a position lies.
  private enum Place {
    case object, ground, outline
  }

  private let corpus: Corpus
  private let model: VQGAN
  private let device: Device
  private var places: [[Int]: [Place]] = [:]
  private var codes: [Scene: [[Int]]] = [:]
  private var composed: [Scene: [Int]] = [:]

  init(_ corpus: Corpus, _ model: VQGAN, device: Device) {
    self.corpus = corpus
    self.model = model
    self.device = device
  }

  /// Codes `[B, positions * levels]` of each scene, in row-major order.
  func callAsFunction(_ scenes: [Scene]) -> [[Int]] {
    let missing = Set(scenes).filter { composed[$0] == nil }
    if !missing.isEmpty {
      let ordered = missing.sorted { ($0.color, $0.concepts.count) < ($1.color, $1.concepts.count) }
      prepare(ordered)
      for scene in ordered { composed[scene] = compose(scene) }
    }
    return scenes.map { composed[$0] ?? [] }
  }

  private func compose(_ scene: Scene) -> [Int] {
    let own = codes[scene] ?? []
    let white = codes[Scene(concepts: scene.concepts, color: NamedColor.whiteID)] ?? []
    let bare = codes[Scene(concepts: [], color: scene.color)] ?? []
    return (places[scene.concepts] ?? []).enumerated().flatMap { position, place in
      switch place {
      case .object: white[position]
      case .ground: bare[position]
      case .outline: own[position]
      }
    }
  }

  /// Encodes what the scenes are put together from, and finds the outlines of their objects.
  private func prepare(_ scenes: [Scene]) {
    var wanted: [Scene] = []
    for scene in scenes {
      wanted += [
        scene, Scene(concepts: scene.concepts, color: NamedColor.whiteID),
        Scene(concepts: [], color: scene.color),
      ]
    }
    var seen: Set<Scene> = []
    let fresh = wanted.filter { codes[$0] == nil && seen.insert($0).inserted }
    for (scene, found) in zip(fresh, encode(fresh)) { codes[scene] = found }

    var met: Set<[Int]> = []
    let shapes = scenes.map(\.concepts).filter { places[$0] == nil && met.insert($0).inserted }
    for (shape, found) in zip(shapes, outlines(shapes)) { places[shape] = found }
  }

  private func pictures(_ scenes: [Scene]) -> Tensor {
    let bytes = corpus.pixels(showing: scenes.map { ($0.concepts, $0.color) })
    return PictureBatches.tensor(bytes, [scenes.count, 3, corpus.size, corpus.size])
  }

  /// The codes of each position of each scene.
  private func encode(_ scenes: [Scene]) -> [[[Int]]] {
    guard !scenes.isEmpty else { return [] }
    let found = noGrad { model.quantize(model.encode(pictures(scenes).to(device))).codes }
    let (levels, values) = (found.size(3), found.ints())
    let positions = found.size(1) * found.size(2)
    return scenes.indices.map { scene in
      (0..<positions).map { position in
        let start = (scene * positions + position) * levels
        return Array(values[start..<start + levels])
      }
    }
  }

  /// Compares each shape on white and on black: where both are alike the object covers the ground,
  /// where they differ as much as the grounds do there is nothing but ground.
  private func outlines(_ shapes: [[Int]]) -> [[Place]] {
    guard !shapes.isEmpty, let black = NamedColor.named("black")?.id else { return [] }
    func on(_ color: Int, _ shapes: [[Int]]) -> Tensor {
      pictures(shapes.map { Scene(concepts: $0, color: color) }).mean(over: [1], keepDims: true)
    }
    let full = (on(NamedColor.whiteID, [[]]) - on(black, [[]])).mean().item()
    // How much of the ground shows through: 0 none, 1 all; [B, 1, H, W].
    let ground = (on(NamedColor.whiteID, shapes) - on(black, shapes)) / full
    let factor = model.config.factor
    let most = ground.maxPooled(factor).reshaped(shapes.count, -1).floats()
    let least = ((-ground).maxPooled(factor) * -1).reshaped(shapes.count, -1).floats()
    let positions = most.count / shapes.count
    return shapes.indices.map { shape in
      (0..<positions).map { position in
        let i = shape * positions + position
        return most[i] < 0.02 ? .object : least[i] > 0.98 ? .ground : .outline
      }
    }
  }
}
