"""The two tables, and a menu to begin with."""

from django.db import migrations, models

MENU = [("Flat white", "3.40"), ("Pot of tea", "2.90"), ("Croissant", "2.20"), ("Cake of the day", "3.80")]


def fill_menu(apps, schema_editor):
    dishes = apps.get_model("cafe", "Dish").objects.using(schema_editor.connection.alias)
    for name, price in MENU:
        dishes.create(name=name, price=price)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Dish",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                ("price", models.DecimalField(decimal_places=2, max_digits=6)),
                ("sold_out", models.BooleanField(default=False)),
            ],
            options={"verbose_name_plural": "dishes"},
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=120)),
                ("whom", models.CharField(blank=True, max_length=40)),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "status",
                    models.CharField(choices=[("new", "new"), ("making", "in the making"), ("ready", "ready")], default="new", max_length=6),
                ),
                ("saved_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.RunPython(fill_menu, migrations.RunPython.noop),
    ]
