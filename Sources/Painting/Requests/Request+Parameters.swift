extension Request {
  /// Every parameter but the prompt, in the order of help and JSON.
  public static let parameters: [ParameterDeclaration] = picture + prompting + guided + candidates

  /// The declaration of the parameter `name`.
  public static func parameter(_ name: String) -> ParameterDeclaration? {
    parameters.first { $0.name == name }
  }

  private static let picture: [ParameterDeclaration] = [
    .method("method", \.method, .picture, "How to paint"),
    .integer("width", \.width, 16...4096, .picture, default: 256, "Width in pixels"),
    .integer("height", \.height, 16...4096, .picture, default: 256, "Height in pixels"),
    .seed(
      "seed", \.seed, .picture, [],
      "Where the random numbers start, a number or any word; the same seed gives the same picture"),
    .seed(
      "variationSeed", \.variationSeed, .picture, .firstNoise,
      "A second seed, whose first noise is mixed into that of the seed: the picture becomes a little "
        + "different"),
    .number(
      "variationStrength", \.variationStrength, 0...1, .picture, .firstNoise,
      "How much of the second seed's noise is mixed in: 0 is none, 1 all; 0.1 if left out"),
    .file("initImage", \.initImage, .picture, .initialImage, "A picture to begin from"),
    .choice(
      "initFit", \.initFit, .picture, .initialImage, default: .crop,
      "How that becomes a picture of the size asked for"),
    .choice(
      "initNoise", \.initNoise, .picture, .initialImage,
      "What to begin from where there is no picture; the method's own way if left out"),
    .text(
      "clip", \.clip, limit: 400, .picture, [],
      "Installed CLIPs that judge the picture, as ID or ID:WEIGHT, several by commas; 'pack' is the "
        + "pack's own"),
    .choice(
      "clipVoices", \.clipVoices, .picture, .views,
      "Whether what several CLIPs say is added up, as if left out, or averaged by their weights"),
    .text(
      "model", \.model, limit: 100, .picture, .model, "The installed network that draws"),
  ]

  private static let prompting: [ParameterDeclaration] = [
    .prompts("prompts", \.prompts, .prompts, .prompts, "Prompts in their structured form"),
    .words(
      "negativePrompt", \.negativePrompt, limit: Prompt.longest, .prompts, .negativePrompt,
      "What the picture should not show, a text as it is"),
    .choice(
      "longTexts", \.longTexts, .prompts, default: .average,
      "How a text is read that is longer than what a CLIP reads at once: in parts whose embeddings are "
        + "averaged, or cut off as the originals do"),
    .number(
      "fuzziness", \.fuzziness, 0...10, .prompts, .objectives,
      "Noise in 25 copies of each text's embedding, which are wanted in its place (Disco Diffusion's fuzzy "
        + "prompts, 0.05 there)"),
    .numbers(
      "storyWords", \.storyWords, 1...1_000, most: 3, .prompts, .prompts,
      "Tells a long prompt scene by scene: words of the first, words that come in with each after it and, "
        + "if wanted, the most that a scene holds (Deep Daze's story, 5,5 there)"),
    .file(
      "blend", \.blend, .prompts, .prompts,
      "A picture whose embedding is averaged with each text's"),
    .file(
      "mask", \.mask, .prompts, .prompts,
      "A picture that is black where prompts of the inside look and white where those of the outside "
        + "do; without it the inside is a disc"),
    .choice(
      "pictureViews", \.pictureViews, .prompts, .prompts, default: .once,
      "When pictures that are wanted are cut into views: once, at each step into the views of the "
        + "picture that is painted, or at each step into others"),
    .choice(
      "promptWeights", \.promptWeights, .prompts, .prompts,
      "Whether the weights of the prompts count as they are, as if left out, or as shares of their sum"
    ),
    .integer(
      "sceneIterations", \.sceneIterations, 1...100_000, .prompts, .prompts,
      "Iterations of a scene (scenes are separated by ^) before the next; shared evenly if left out"
    ),
  ]

  private static let guided: [ParameterDeclaration] = [
    .integer(
      "iterations", \.iterations, 1...100_000, .optimisation, .steps, default: 150,
      "Steps of the optimisation"),
    .integer(
      "cutouts", \.cutouts, 1...512, .optimisation, .views, default: 16,
      "Views of the picture shown to CLIP at each step"),
    .choice(
      "cutMode", \.cutMode, .optimisation, .views, default: .balanced, "How views are cut"),
    .schedule(
      "cutPower", \.cutPower, 0.1...10, .optimisation, .views, default: 1,
      "Above one for smaller squares, below for larger"),
    .schedule(
      "cutWhole", \.cutWhole, 0...1, .optimisation, .views,
      "Share of the views of the way balanced that show the whole picture; half if left out"),
    .numbers(
      "cutSizes", \.cutSizes, 0.01...1, most: 3, .optimisation, .views,
      "Least and largest square of the way deep-daze as shares of the shorter side, and, if wanted, "
        + "what the least has risen to by the end"),
    .numbers(
      "cutSpread", \.cutSpread, 0.01...1, most: 2, .optimisation, .views,
      "Mean and deviation of the sizes of the way deep-daze, which are even if left out"),
    .number(
      "cutCenter", \.cutCenter, 0.1...100, .optimisation, .views,
      "How closely the squares of the ways big-sleep and deep-daze gather round the middle; they lie "
        + "evenly if left out"),
    .schedule(
      "cutOverview", \.cutOverview, 0...64, .optimisation, .views,
      "Views of the whole picture in the way dango, over the thousandths of the way from noise to picture "
        + "as in 12*400,4*600; shares of the cutouts if all four are left out"),
    .schedule(
      "cutInner", \.cutInner, 0...64, .optimisation, .views,
      "Squares in the way dango, over the thousandths of the way as in 4*400,12*600"),
    .schedule(
      "cutInnerPower", \.cutInnerPower, 0.01...100, .optimisation, .views,
      "Above one for smaller squares in the way dango, below for larger; 1 if left out"),
    .schedule(
      "cutInnerGray", \.cutInnerGray, 0...1, .optimisation, .views,
      "Share of the squares in the way dango without colour, one more than that; 0.2*400,0*600 if left "
        + "out"),
    .augmentations(
      "augmentations", \.augmentations, .optimisation, .views,
      "What is done to the views; left out, what belongs to the way of cutting"),
    .number(
      "averagingWeight", \.averagingWeight, 0...1, .optimisation, .views, default: 0,
      "How much the mean of all views is to fit, beside each view by itself"),
    .schedule(
      "learningRate", \.learningRate, 0.000001...1_000, .optimisation, .optimizer, default: 0.1,
      "Length of a step"),
    .numbers(
      "learningRateDrops", \.learningRateDrops, 0...100, most: 16, .optimisation, .optimizer,
      default: [], "Percentages of the iterations at which the step becomes a tenth"),
    .choice(
      "optimizer", \.optimizer, .optimisation, .optimizer, default: .adam,
      "How the step is found from the gradient"),
    .number(
      "weightDecay", \.weightDecay, 0...1, .optimisation, .optimizer,
      "How fast the optimiser adamw pulls the parameters to zero; 0.01 if left out"),
    .integer(
      "accumulate", \.accumulate, 1...64, .optimisation, .views, default: 1,
      "Sets of views whose gradients are averaged for one step"),
    .number(
      "ema", \.ema, 0...0.9999, .optimisation, .optimizer, default: 0,
      "How slowly the average of the parameters follows, which is then the picture; 0 is without"),
    .integer(
      "patience", \.patience, 1...100_000, .optimisation, .optimizer,
      "Iterations without a better picture after which the step is dropped or painting ends"),
    .integer(
      "sketch", \.sketch, 0...10_000, .optimisation, .optimizer, default: 0,
      "Iterations, the first of all, on a coarse picture of plain pixels, from which the drawer then begins"
    ),
    .number(
      "distillation", \.distillation, 0...100_000, .optimisation, .optimizer, default: 0,
      "How strongly the picture is pulled to what the pack's diffusion model would paint (score distillation); "
        + "0 leaves it to CLIP alone"
    ),
    .parts(
      "objectives", \.objectives, .objective, .optimisation, .objectives,
      "What is wanted beside the prompts"),
    .parts(
      "filters", \.filters, .filter, .optimisation, .filters,
      "What is done to the picture before anybody sees it"),
    .file(
      "overlay", \.overlay, .optimisation, .optimizer,
      "A picture that is laid over the one that is painted, again and again"),
    .integer(
      "overlayEvery", \.overlayEvery, 1...100_000, .optimisation, .optimizer, default: 10,
      "After how many iterations again"),
    .number(
      "overlayAlpha", \.overlayAlpha, 0...1, .optimisation, .optimizer, default: 0.5,
      "How much of the overlay is seen"),
    .integer(
      "overlayUntil", \.overlayUntil, 0...100_000, .optimisation, .optimizer,
      "The iteration from which the overlay stays away"),
  ]

  private static let candidates: [ParameterDeclaration] = [
    .integer(
      "candidates", \.candidates, 1...64, .candidates, .candidates, default: 8,
      "Pictures sampled, of which CLIP picks the best"),
    .integer(
      "rank", \.rank, 1...64, .candidates, .candidates, default: 1,
      "Which of the candidates to keep, 1 being the best"),
    .choice(
      "precision", \.precision, .execution, default: .auto,
      "The type in which networks compute; int8 holds large matrices in eight bits and computes in "
        + "float32 (dalle, on the CPU)"),
  ]
}
