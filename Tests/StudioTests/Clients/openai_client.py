"""The `openai` package against the studio: plain, streaming, edits, variations, models, mistakes."""
import base64
import io

import openai
from PIL import Image

from common import Studio, check, done

with Studio() as studio:
    client = openai.OpenAI(base_url=f"{studio.address}/v1", api_key="none", max_retries=0)
    check("reverie" in [model.id for model in client.models.list()], "models")
    answer = client.images.generate(
        model="reverie", prompt="a red fox", n=2, size="256x256",
        extra_body={"seed": 7, "method": "dalle"})
    pictures = [base64.b64decode(one.b64_json) for one in answer.data]
    check(all(data.startswith(b"\x89PNG") for data in pictures), "PNG")
    check(pictures[0] != pictures[1], "two pictures")
    same = client.images.generate(
        model="reverie", prompt="a red fox", n=2, size="256x256",
        extra_body={"seed": 7, "method": "dalle"})
    check(same.data[0].b64_json == answer.data[0].b64_json, "one seed, one picture")
    kinds, partial = [], 0
    for event in client.images.generate(
            model="vqgan-clip", prompt="a blue whale", size="256x256", stream=True,
            partial_images=2, extra_body={"seed": 3, "steps": 60}):
        kinds.append(event.type)
        check(base64.b64decode(event.b64_json).startswith(b"\x89PNG"), "PNG of the stream")
        if event.type == "image_generation.partial_image":
            check(event.partial_image_index == partial, "index of the partial picture")
            partial += 1
    check(kinds[-1] == "image_generation.completed", f"the end of the stream: {kinds}")
    check(partial >= 1, "pictures on the way")
    file = io.BytesIO(pictures[0])
    file.name = "fox.png"
    edited = client.images.edit(
        image=file, prompt="a blue fox", size="256x256", extra_body={"steps": 10})
    check(edited.data[0].b64_json, "edit")
    # Only the right half is clear, so only it may change.
    mask = Image.new("RGBA", (256, 256), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (128, 0, 256, 256))
    hole = io.BytesIO()
    mask.save(hole, "PNG")
    hole.name = "mask.png"
    file.seek(0)
    hole.seek(0)
    inside = client.images.edit(
        image=file, mask=hole, prompt="a blue fox", size="256x256", extra_body={"steps": 5})
    before = Image.open(io.BytesIO(pictures[0])).convert("RGB")
    after = Image.open(io.BytesIO(base64.b64decode(inside.data[0].b64_json))).convert("RGB")
    left, right = (0, 0, 96, 256), (160, 0, 256, 256)
    check(before.crop(left).tobytes() == after.crop(left).tobytes(), "outside the mask all stays")
    check(before.crop(right).tobytes() != after.crop(right).tobytes(), "inside the mask it changes")
    file.seek(0)
    varied = client.images.create_variation(image=file, n=1, size="256x256")
    check(varied.data[0].b64_json or varied.data[0].url, "variation")
    try:
        client.images.generate(model="reverie", prompt="a", n=1, size="5x5")
        check(False, "a bad size was taken")
    except openai.UnprocessableEntityError as error:
        check(error.param == "size", "the field of the mistake")
done(f"openai {openai.__version__}: generations, stream with {partial} partial pictures, edit, "
     "mask, variation, models, mistake")
