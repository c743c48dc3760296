import Foundation
import Imaging
import Library
import Models
import Testing
import Torch
import Weights
import TestSupport

@testable import Painting

/// What a request asks for, followed from the request to the parameters that are optimised.
@Suite struct WishTests {
  private let pack: Pack
  private let networks: Networks

  init() throws {
    pack = try Pack(folder: TinyPack.make(dalle: false))
    networks = try Networks(pack)
  }

  /// A painting of plain pixels, or of what `change` makes of the request.
  private func painting(
    _ prompt: String, _ files: Attachments = Attachments(), initial: Tensor? = nil,
    _ change: (inout Request) -> Void = { _ in }
  ) throws -> GuidedPipeline {
    var request = Request(prompt)
    request.method = .pixels
    (request.width, request.height, request.seed) = (32, 32, 3)
    (request.iterations, request.cutouts, request.augmentations) = (12, 4, [])
    change(&request)
    let context = try PipelineContext(request, networks, initial: initial, files: files)
    return try #require(context.pipeline() as? GuidedPipeline)
  }

  private func values(_ painting: GuidedPipeline) -> Tensor {
    painting.drawer.parameters[0].detached().cloned()
  }

  private func file(_ picture: Picture, _ files: inout Attachments) throws -> FileReference {
    let url = try ScratchFolder.make("wishes").appending(path: "picture.png")
    try picture.write(to: url.path)
    return try files.add(url)
  }

  // MARK: Regions

  /// Black in the left half.
  private func mask() throws -> Picture {
    let halves = [Tensor.zeros([3, 32, 16]), Tensor.ones([3, 32, 16])]
    return try Picture(concatenated(halves, over: 2))
  }

  @Test(
    "a prompt of the inside or the outside of a mask changes nothing elsewhere",
    arguments: [Prompt.Region.inside, .outside], ["pixels", "pixel"])
  func regions(_ region: Prompt.Region, _ method: String) throws {
    var files = Attachments()
    let mask = try file(mask(), &files)
    let painting = try painting("", files) {
      $0.method = .init(rawValue: method)
      $0.prompts = [Prompt(.text("red"), region: region)]
      $0.mask = mask
      // What the drawer wants by itself looks everywhere.
      $0.objectives = []
      $0.arguments = method == "pixel" ? ["columns": .integer(8), "rows": .integer(8)] : [:]
    }
    let before = painting.drawer.render(nil).detached().cloned()
    for _ in 0..<3 { _ = try painting.step(.none) }
    let change = (painting.drawer.render(nil).detached() - before).abs()
    let halves = [change.narrowed(3, 0, 16), change.narrowed(3, 16, 16)].map { $0.amax().item() }
    let (wanted, other) = region == .inside ? (halves[0], halves[1]) : (halves[1], halves[0])
    #expect(wanted > 0.01)
    #expect(other == 0)
  }

  @Test("regions are judged also when a filter changes the picture's size")
  func filteredRegions() throws {
    for filter in [
      PartSpec("wallpaper", ["type": .string("shift")]),
      PartSpec("wallpaper", ["edge": .integer(4)]),
    ] {
      let painting = try painting("") {
        $0.prompts = [Prompt(.text("red"), region: .inside)]
        $0.filters = [filter]
      }
      #expect(try #require(try painting.step(.none)).isFinite)
    }
  }

  // MARK: Pictures as wishes

  private func embedding(_ picture: Tensor) throws -> Tensor {
    try networks.network(CLIP.self).embed(picture)
  }

  @Test(
    "a picture that should be like another becomes more so, whenever that is cut",
    arguments: PictureViews.allCases)
  func imagePrompt(_ views: PictureViews) throws {
    var files = Attachments()
    let wanted = RandomStream(seed: 9, "wanted").uniform([3, 32, 32])
    let reference = try file(Picture(wanted), &files)
    let painting = try painting("", files) {
      $0.prompts = [Prompt(.image(reference))]
      $0.cutMode = .latest
      $0.pictureViews = views
    }
    let target = try embedding(wanted.unsqueezed(0))
    func distance() throws -> Double {
      try sphericalDistance(embedding(painting.drawer.render(nil).detached()), target).sum().item()
    }
    let before = try distance()
    while !painting.isDone { _ = try painting.step(.none) }
    #expect(try distance() < 0.8 * before)
  }

  @Test("views of a wanted picture are those of the painted one, or others, at each step")
  func pictureViews() throws {
    var files = Attachments()
    let picture = RandomStream(seed: 9, "wanted").uniform([1, 3, 32, 32])
    let reference = try file(Picture(picture), &files)
    /// The losses of a painting that begins with the wanted picture itself and stays there.
    func losses(_ views: PictureViews) throws -> [Double] {
      let painting = try painting("", files, initial: Picture(picture).tensor()) {
        $0.prompts = [Prompt(.image(reference))]
        ($0.cutMode, $0.cutouts, $0.pictureViews) = (.latest, 1, views)
        $0.augmentations = [Augmentation(rawValue: "affine")].compactMap(\.self)
        ($0.learningRate, $0.objectives) = (1e-6, [])
      }
      return try (0..<3).map { _ in try #require(try painting.step(.none)) }
    }
    let (once, same, other) = (try losses(.once), try losses(.same), try losses(.other))
    // The same view of the same picture: as near as float32 tells.
    #expect(same.allSatisfy { $0 < 1e-4 })
    #expect(once.allSatisfy { $0 > 1e-3 } && other.allSatisfy { $0 > 1e-3 })
    #expect(Set(once + other).count == 6)
  }

  @Test("telling texts apart raises the wanted one above the others")
  func contrastive() throws {
    let painting = try painting("red") {
      $0.objectives = [PartSpec("contrastive", ["than": .string("fox; red fox")])]
      ($0.cutMode, $0.iterations) = (.latest, 40)
    }
    let perceptor = try #require(try networks.perceptors(painting.request).first)
    func lead() throws -> Double {
      let seen = try embedding(painting.drawer.render(nil).detached())
      let cosines = ["red", "fox", "red fox"].map {
        (seen.normalized() * perceptor.embedding(of: $0).normalized()).sum().item()
      }
      return cosines[0] - max(cosines[1], cosines[2])
    }
    let before = try lead()
    while !painting.isDone { _ = try painting.step(.none) }
    #expect(try lead() > before + 0.05)
    #expect(throws: RequestError.self) {
      try self.painting("red") { $0.objectives = [PartSpec("contrastive")] }
    }
  }

  @Test("a blended picture is averaged with every text, as one embedding")
  func blend() throws {
    var files = Attachments()
    let picture = RandomStream(seed: 9, "wanted").uniform([3, 32, 32])
    let reference = try file(Picture(picture), &files)
    let blended = try painting("red | fox:-0.5", files) { $0.blend = reference }
    let spelled = try painting("", files) {
      $0.prompts = [
        Prompt(.average([.text("red"), .image(reference)])),
        Prompt(.average([.text("fox"), .image(reference)]), weight: -0.5),
      ]
    }
    let plain = try painting("red | fox:-0.5")
    for painting in [blended, spelled, plain] { _ = try painting.step(.none) }
    #expect(values(blended).floats() == values(spelled).floats())
    #expect(values(blended).floats() != values(plain).floats())

    let perceptor = try #require(try networks.perceptors(blended.request).first)
    let found = try #require(
      try perceptor.embeddings(
        of: .average([.text("red"), .image(reference)]),
        cutouts: Cutouts(size: 32, count: 1, seed: 0), files: files, size: (32, 32), device: .cpu))
    let stored = try Picture.read(from: files.url(reference).path).tensor()
    let mean = (perceptor.embedding(of: "red") + (try embedding(stored))) / 2
    // Both are the plain mean of two embeddings; only the order of additions differs.
    expectClose(found, mean, atol: 1e-5)
  }

  // MARK: Scenes

  @Test("the next scene begins at its iteration, and the first again after the last")
  func scenes() throws {
    let story = try painting("red ^ fox") { $0.sceneIterations = 3 }
    func losses(_ prompt: String, from start: GuidedPipeline) throws -> Double {
      let other = try painting(prompt)
      let state = try start.state
      try other.restore(state.notes) { state.tensors[$0] }
      return try #require(try other.step(.none))
    }
    for iteration in 0..<9 {
      let (now, then) = (iteration / 3) % 2 == 0 ? ("red", "fox") : ("fox", "red")
      let expected = try losses(now, from: story)
      let different = try losses(then, from: story)
      let found = try story.step(.none)
      #expect(found == expected, "iteration \(iteration)")
      #expect(found != different, "iteration \(iteration)")
    }
  }

  @Test("without a length of their own scenes share the iterations evenly")
  func sharedScenes() throws {
    let story = try painting("red ^ fox ^ red fox") { $0.iterations = 8 }
    // Three, three and two.
    for (iteration, prompt) in ["red", "red", "red", "fox", "fox", "fox", "red fox", "red fox"]
      .enumerated()
    {
      let alone = try painting(prompt) { $0.iterations = 8 }
      let state = try story.state
      try alone.restore(state.notes) { state.tensors[$0] }
      #expect(try alone.step(.none) == story.step(.none), "iteration \(iteration)")
    }
    #expect(story.isDone)
  }

  // MARK: Gradients

  @Test("accumulated gradients are the mean of those of as many sets of views")
  func accumulate() throws {
    /// Adam's first moment after a step from the beginning, a tenth of the gradient.
    func moment(_ sets: Int, at iteration: Int) throws -> Tensor {
      let painting = try painting("red fox") { $0.accumulate = sets }
      let state = try painting.state
      let notes = try state.json.merging(["iteration": .integer(iteration)]) { $1 }
      try painting.restore(JSONEncoder().encode(notes)) { state.tensors[$0] }
      _ = try painting.step(.none)
      return try #require(painting.state.tensors["optimizer.0.0.first"]).cloned()
    }
    let one = try moment(1, at: 0)
    let both = try moment(2, at: 0)
    let next = try moment(1, at: 1)
    let scale = one.abs().amax().item()
    // Rounding of float32 in sums of some hundred terms.
    expectClose(both / scale, (one + next) / (2 * scale), atol: 1e-5)
    #expect((one - next).abs().amax().item() > 0.05 * scale, "the sets are different ones")
  }

  @Test("weights decay as fast as is asked for, with the optimiser that has it")
  func weightDecay() throws {
    func stepped(_ optimizer: OptimizerName, _ decay: Double?) throws -> [Float] {
      let painting = try painting("red fox") {
        ($0.optimizer, $0.weightDecay) = (optimizer, decay)
      }
      _ = try painting.step(.none)
      return values(painting).floats()
    }
    #expect(try stepped(.adamw, 0) == stepped(.adam, nil))
    #expect(try stepped(.adamw, nil) == stepped(.adamw, 0.01))
    #expect(try stepped(.adamw, nil) != stepped(.adam, nil))
    #expect(throws: RequestError.self) { try stepped(.adam, 0.01) }
  }

  // MARK: Leaving and taking up again

  @Test(
    "a wish to stay near the beginning survives leaving and taking up again",
    arguments: ["latent", "spherical", "cosine", "pixels"])
  func startAndResume(_ kind: String) throws {
    func begin() throws -> GuidedPipeline {
      try painting("red fox", initial: RandomStream(seed: 5, "first").uniform([1, 3, 32, 32])) {
        $0.method = .vqganCLIP
        $0.objectives = [PartSpec("start", weight: 3, ["kind": .string(kind)])]
        $0.iterations = 6
      }
    }
    let whole = try begin()
    while !whole.isDone { _ = try whole.step(.none) }
    let first = try begin()
    for _ in 0..<3 { _ = try first.step(.none) }
    let second = try begin()
    let state = try first.state
    try second.restore(state.notes) { state.tensors[$0] }
    while !second.isDone { _ = try second.step(.none) }
    #expect(values(second).floats() == values(whole).floats())
    #expect(try second.picture().floats() == whole.picture().floats())
    // Without what it remembers the beginning would be where it was taken up.
    let forgetful = try begin()
    var notes = try state.json
    guard case .array(let memories) = notes["memories"] else {
      Issue.record("no memories")
      return
    }
    notes["memories"] = .array(memories.map { _ in .array([]) })
    try forgetful.restore(JSONEncoder().encode(notes)) { state.tensors[$0] }
    while !forgetful.isDone { _ = try forgetful.step(.none) }
    #expect(kind == "pixels" || values(forgetful).floats() != values(whole).floats())
  }

  // MARK: Kept embeddings

  @Test("embeddings that were kept give the same picture, and are those that are used")
  func cached() async throws {
    let folder = try ScratchFolder.make("kept")
    var files = Attachments()
    let reference = try file(
      Picture(RandomStream(seed: 9, "wanted").uniform([3, 32, 32])), &files)
    func paint(_ cache: EmbeddingCache?) async throws -> Picture? {
      var request = Request("red fox")
      request.method = .pixels
      (request.width, request.height, request.seed) = (32, 32, 3)
      (request.iterations, request.cutouts, request.precision) = (3, 2, .float32)
      request.prompts = [Prompt(.image(reference), weight: 0.5)]
      let engine = Engine(pack: pack, cache: cache, threads: 1)
      for try await event in engine.generate(request, .init(files: files)) {
        if case .image(let output) = event { return output.picture }
      }
      return nil
    }
    let cache = EmbeddingCache(folder: folder)
    let plain = try #require(try await paint(nil))
    #expect(try await paint(cache) == plain)
    let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(kept.count == 2, "a text and a picture")
    #expect(try await paint(cache) == plain)

    for name in kept {
      let url = folder.appending(path: name)
      let file = try SafeTensors(contentsOf: url)
      let other = try file.tensor("embedding") * -1
      let metadata = file.metadata
      try SafeTensors.write(["embedding": other], metadata: metadata, to: url)
    }
    #expect(try await paint(cache) != plain)
  }
}
